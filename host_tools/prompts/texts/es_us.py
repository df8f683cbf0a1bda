"""Spanish as it is spoken in the United States; the household is addressed as usted."""

from __future__ import annotations

from host_tools.prompts.language import Language

_NUMBERS = (
    *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"),
    *("once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve"),
    *("veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis"),
    *("veintisiete", "veintiocho", "veintinueve"),
)
_TENS = ("treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)

ES_US = Language(
    code="es-US",
    name="Spanish (United States)",
    voice="es-419",
    words_per_minute=175,
    choice="Para español, marque 2.",
    texts={
        "call_trace": "Este servicio rastrea la última llamada que entró.",
        "charge_is": "El cargo es de",
        "each_trace": "por cada rastreo exitoso.",
        "no_charge": "No tiene costo.",
        "dial_1": "Para rastrear la última llamada, marque 1. Para salir, cuelgue.",
        "newer_call": "Entró otra llamada. Ahora esa es la última.",
        "please_wait": "Espere, por favor.",
        "traced": "La última llamada fue rastreada.",
        "danger": "Si la vida de alguien está en peligro, cuelgue y marque el {emergency}.",
        "three_traces": "El rastreo es algo serio. Después de tres rastreos de la misma persona,",
        "action_open": "Usted ya rastreó suficientes llamadas de esta persona.",
        "who_acts": (
            "Llame a la policía o a su compañía de teléfonos. Ellos pueden actuar. "
            "A usted no le dirán quién llamó."
        ),
        "not_traceable": "No se pudo rastrear la última llamada.",
        "already_traced": "Esa llamada ya fue rastreada.",
        "no_call": "Todavía no hay llamadas que rastrear.",
        "not_traced": "No se rastreó ninguna llamada.",
        "not_charged": "No se le cobra nada.",
        "stored": (
            "Su solicitud está guardada. Se enviará lo antes posible. "
            "Solo se le cobra si la llamada se puede rastrear. Ya puede colgar."
        ),
        "answer_later": "Cuando el tono suene entrecortado, marque el mismo código para oír la respuesta.",
        "earlier_traced": "Su rastreo anterior tuvo éxito.",
        "earlier_not_traceable": "La llamada anterior no se pudo rastrear.",
        "earlier_already_traced": "La llamada de su solicitud ya había sido rastreada.",
        "earlier_not_offered": "Su solicitud anterior fue rechazada. Esta línea no tiene este servicio.",
        "store_full": "Hay demasiadas solicitudes en espera.",
        "store_failed": "No se pudo guardar su solicitud.",
        "last_call": "La última llamada fue",
        "call_time_unknown": "No se sabe la hora de la última llamada.",
        "call_waited": "Entró durante otra llamada.",
        "number_is": "El número es",
        "number_private": "El número es privado.",
        "number_unavailable": "El número no está disponible.",
        "no_caller_id": "Entró sin identificador de llamadas.",
        "no_call_yet": "Todavía no ha entrado ninguna llamada.",
        "traces_made": "Usted ha hecho",
        "successful_trace": "rastreo exitoso.",
        "successful_traces": "rastreos exitosos.",
        "latest_traces": "Los más recientes:",
        "no_traces": "Todavía no hay llamadas rastreadas.",
        "last_outcome": "El resultado de su última solicitud:",
        "no_request": "Usted no ha hecho ninguna solicitud.",
        "no_answer_yet": "Todavía no hay respuesta.",
        "language_chosen": "Usted eligió español.",
        "one_language": "Este teléfono solo habla español.",
        "today": "hoy",
        "yesterday": "ayer",
        "on": "el",
        "plus": "y",
        "at": "a las",
        "at_1": "a la una",
        "before_dawn": "de la madrugada",
        "morning": "de la mañana",
        "afternoon": "de la tarde",
        "evening": "de la noche",
        "dollar": "dólar",
        "dollars": "dólares",
        "and": "con",
        "cent": "centavo",
        "cents": "centavos",
        **{str(value): word for value, word in enumerate(_NUMBERS)},
        **{str(10 * value): word for value, word in enumerate(_TENS, start=3)},
        "1_before_noun": "un",
        "21_before_noun": "veintiún",
        "day_1": "primero",
        **{f"month_{month}": f"de {word}" for month, word in enumerate(_MONTHS, start=1)},
    },
)
