"""Django's registration of this slice."""

from django.apps import AppConfig


class LearningAgreementsConfig(AppConfig):
    name = "vsm.exchange.learning_agreements"
    label = "learning_agreements"
