"""French as it is spoken in Canada; the household is addressed as vous."""

from __future__ import annotations

from host_tools.prompts.language import Language

_NUMBERS = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"),
    *("onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
_TENS = ("vingt", "trente", "quarante", "cinquante", "soixante")
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_HOURS = ("zéro", "une", *_NUMBERS[2:], "vingt", "vingt et une", "vingt-deux", "vingt-trois")

FR_CA = Language(
    code="fr-CA",
    name="French (Canada)",
    voice="fr-fr",
    words_per_minute=155,
    choice="Pour le français, faites le 3.",
    texts={
        "call_trace": "Ce service retrace le dernier appel reçu.",
        "charge_is": "Il vous en coûte",
        "each_trace": "pour chaque appel retracé.",
        "no_charge": "Il n'y a pas de frais.",
        "dial_1": "Pour retracer le dernier appel, faites le 1. Pour quitter, raccrochez.",
        "newer_call": "Un nouvel appel est entré. C'est maintenant le dernier appel.",
        "please_wait": "Un moment, s'il vous plaît.",
        "traced": "Le dernier appel a été retracé.",
        "danger": "Si la vie de quelqu'un est en danger, raccrochez et composez le {emergency}.",
        "three_traces": "Retracer un appel, c'est sérieux. Après trois retraçages de la même personne,",
        "action_open": "Vous avez maintenant retracé assez d'appels de la même personne.",
        "who_acts": (
            "Appelez la police ou votre compagnie de téléphone. Elles peuvent agir. "
            "On ne vous dira pas qui a appelé."
        ),
        "not_traceable": "Le dernier appel n'a pas pu être retracé.",
        "already_traced": "Cet appel a déjà été retracé.",
        "no_call": "Il n'y a pas encore d'appel à retracer.",
        "not_traced": "Aucun appel n'a été retracé.",
        "not_charged": "Rien ne vous est facturé.",
        "stored": (
            "Votre demande est enregistrée. Elle sera envoyée dès que possible. "
            "Vous ne payez que si l'appel peut être retracé. Vous pouvez raccrocher."
        ),
        "answer_later": "Quand la tonalité sera saccadée, refaites le même code pour avoir la réponse.",
        "earlier_traced": "Votre retraçage précédent a réussi.",
        "earlier_not_traceable": "L'appel précédent n'a pas pu être retracé.",
        "earlier_already_traced": "L'appel de votre demande avait déjà été retracé.",
        "earlier_not_offered": "Votre demande précédente a été refusée. Cette ligne n'a pas ce service.",
        "store_full": "Trop de demandes sont en attente.",
        "store_failed": "Votre demande n'a pas pu être enregistrée.",
        "last_call": "Le dernier appel a été reçu",
        "call_time_unknown": "L'heure du dernier appel est inconnue.",
        "call_waited": "Il est entré pendant un autre appel.",
        "number_is": "Le numéro est le",
        "number_private": "Le numéro est confidentiel.",
        "number_unavailable": "Le numéro n'est pas disponible.",
        "no_caller_id": "Il est entré sans numéro.",
        "no_call_yet": "Aucun appel n'est encore entré.",
        "traces_made": "Vous avez fait",
        "successful_trace": "retraçage réussi.",
        "successful_traces": "retraçages réussis.",
        "latest_traces": "Les plus récents :",
        "no_traces": "Aucun appel n'a encore été retracé.",
        "last_outcome": "Résultat de votre dernière demande :",
        "no_request": "Vous n'avez pas encore fait de demande.",
        "no_answer_yet": "Il n'y a pas encore de réponse.",
        "language_chosen": "Vous avez choisi le français.",
        "one_language": "Ce téléphone parle seulement français.",
        "today": "aujourd'hui",
        "yesterday": "hier",
        "on": "le",
        "dollar": "dollar",
        "dollars": "dollars",
        "and": "et",
        "cent": "cent",
        "cents": "cents",
        **{str(value): word for value, word in enumerate(_NUMBERS)},
        **{str(10 * value): word for value, word in enumerate(_TENS, start=2)},
        "80": "quatre-vingts",
        "20_linked": "vingt",
        "80_linked": "quatre-vingt",
        "and_1": "et un",
        "and_11": "et onze",
        "1_feminine": "une",
        "and_1_feminine": "et une",
        "6_before_noun": "six",
        "8_before_noun": "huit",
        "10_before_noun": "dix",
        "18_before_noun": "dix-huit",
        "day_1": "premier",
        **{f"month_{month}": word for month, word in enumerate(_MONTHS, start=1)},
        **{f"hour_{hour}": f"à {word} heures" for hour, word in enumerate(_HOURS)},
        "hour_0": "à zéro heure",
        "hour_1": "à une heure",
    },
    sounds={
        "6_before_noun": "[[s'i]]",
        "8_before_noun": "[[y'i]]",
        "10_before_noun": "[[d'i]]",
        "18_before_noun": "[[d'izy'i]]",
        "20_linked": "[[v'E~t]]",
        "cent": "[[s'Ent]]",
        "cents": "[[s'Ent]]",
        "hour_20": "[[a vE~t'Wr]]",
        "hour_21": "[[a vE~te yn'Wr]]",
    },
)
