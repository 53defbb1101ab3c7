"""What doors and higher slices read about placements: hosts, vacancies, placements and what happens during them."""

from vsm.exchange.placements.queries import conduct, hosts, placements, vacancies

__all__ = ["conduct", "hosts", "placements", "vacancies"]
