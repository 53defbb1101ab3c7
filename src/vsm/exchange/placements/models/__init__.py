"""Hosts and vacancies, applications and interviews, placements with their agreement, hours, evaluations and concerns."""

from vsm.exchange.placements.models.agreements import AgreementVersion, PlacementAgreement, Signature, SigningLink
from vsm.exchange.placements.models.conduct import (
    Concern,
    ConcernNote,
    Evaluation,
    HoursEntry,
    Officer,
    PlacementCredit,
)
from vsm.exchange.placements.models.hosts import Host, VettingCheck
from vsm.exchange.placements.models.placements import Pause, Placement
from vsm.exchange.placements.models.vacancies import (
    HAS_PLACE,
    ApplicationDocument,
    Interview,
    PlacementApplication,
    Vacancy,
)

__all__ = [
    "HAS_PLACE", "AgreementVersion", "ApplicationDocument", "Concern", "ConcernNote", "Evaluation", "Host", "HoursEntry", "Interview", "Officer",
    "Pause", "Placement", "PlacementAgreement", "PlacementApplication", "PlacementCredit", "Signature", "SigningLink", "Vacancy", "VettingCheck",
]  # fmt: skip
