"""What happened, told to whoever subscribed in `app`: written as jobs in the transaction of the act itself.

A lower slice that must tell a higher one something emits; it never imports upwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django_tasks.base import Task

from vsm.kit.jobs import enqueue_many

_SUBSCRIBERS: dict[str, list[Task[Any, Any]]] = defaultdict(list)


def subscribe(topic: str, *tasks: Task[Any, Any]) -> None:
    """Have `tasks` performed with the payload of each event of this topic. Called once, by the composition root."""
    for task in tasks:
        if task not in _SUBSCRIBERS[topic]:
            _SUBSCRIBERS[topic].append(task)


def emit(topic: str, **payload: str) -> None:
    """Tell that something happened; `payload` are identifiers, never copies of records."""
    for task in _SUBSCRIBERS[topic]:
        task.enqueue(**payload)


def emit_many(topic: str, payloads: Iterable[Mapping[str, str]]) -> None:
    """The same for many things of one kind at once."""
    told = list(payloads)
    for task in _SUBSCRIBERS[topic]:
        enqueue_many(task, told)
