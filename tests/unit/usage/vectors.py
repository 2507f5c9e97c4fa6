"""The worked vectors of spec usage.md §10, as data: each by its id, run by test_vectors.py.

A vector is a list of cases. A case says the programme, the inputs (the body of
`POST /usage/calculations`) and what must come out: `status`, `shown` (per cent, two decimals) and
`numerator` of the indicator `code`, `amount` in euros, `points`, the `reason` why a group brings
nothing. `refused` marks the amounts that are shown only when unverified figures are allowed.
"""

from typing import Any

Case = dict[str, Any]

SUN, VSM, DONUM = "sun-es-volet-1", "vsm", "donum"
BEST, N1, PROVISIONAL = (
    {"level": "N3", "ins": "qualified"},
    {"level": "N1", "ins": "qualified"},
    {"level": "N3", "ins": "provisional"},
)


def _su4(window: str, n: int, d: int, base: int | str | None = 60_000, **more: Any) -> Case:
    inputs: Case = {"window": window, "indicators": {"SU4": {"numerator": n, "denominator": d}}}
    if base is not None:
        inputs["base"] = {"biology": base}
    return {"programme": SUN, "code": "SU4", "inputs": {**inputs, **more}}


def _documents(code: str, window: str, groups: list[Case], d: int) -> Case:
    figures = {"documents": groups, "denominator": d}
    return {
        "programme": SUN,
        "code": code,
        "inputs": {"window": window, "indicators": {code: figures}},
    }


def _attained(window: str, groups: dict[str, Any], **more: Any) -> Case:
    """Domains whose attainment is given, as is what they are paid from."""
    given = {"window": window, "attained": dict.fromkeys(groups, "met")}
    return {"programme": SUN, "inputs": {**given, **more}}


def _share(window: str, group: str, percent: str) -> Case:
    return _attained(window, {group: 1}, share={group: percent})


def _discharge(su1: str, su2: str, su3: Case) -> Case:
    indicators = {"SU1": {"attained": su1}, "SU2": {"attained": su2}, "SU3": su3}
    given = {"window": "F1", "indicators": indicators, "base": {"discharge": 70_000}}
    return {"programme": SUN, "inputs": given}


SUN_ES: dict[str, list[Case]] = {
    "S01": [{**_su4("F1", 450, 1000), "shown": "45.00", "status": "met", "amount": "60000.00"}],
    "S02": [{**_su4("F1", 449, 1000), "shown": "44.90", "status": "not_met", "amount": "0.00"}],
    "S03": [{**_su4("F2", 540, 1000), "shown": "54.00", "status": "met", "amount": "54000.00"}],
    "S04": [{**_su4("F2", 539, 1000), "shown": "53.90", "status": "not_met", "amount": "0.00"}],
    "S05": [{**_su4("F3", 590, 1000), "shown": "59.00", "status": "met", "amount": "51000.00"}],
    "S06": [{**_su4("F4", 630, 1000), "shown": "63.00", "status": "met", "amount": "48000.00"}],
    "S07": [
        {**_su4("F4", 62_999, 100_000), "shown": "63.00", "status": "not_met", "amount": "0.00"}
    ],
    "S08": [{**_su4("F1", 0, 0), "shown": None, "status": "not_applicable", "amount": "0.00"}],
    "S09": [{**_su4("F1", 5, 0), "status": "data_error", "amount": "0.00"}],
    "S10": [{**_su4("F1", 1020, 1000), "status": "data_error", "amount": "0.00"}],
    "S11": [
        {
            **_documents(
                "SU4",
                "F1",
                [{"count": 400, **BEST}, {"count": 80, **PROVISIONAL}, {"count": 60, **N1}],
                1000,
            ),
            "numerator": 400,
            "shown": "40.00",
            "status": "not_met",
        }
    ],
    "S12": [
        {
            **_documents(
                "SU5",
                "F1",
                [
                    {"count": 300, **N1},
                    {"count": 160, **BEST},
                    {"count": 50, "level": "N1", "ins": "recovered"},
                ],
                1000,
            ),
            "numerator": 460,
            "shown": "46.00",
            "status": "met",
        }
    ],
    "S13": [
        {
            **_documents(
                "SU4", "F1", [{"count": 420, **BEST}, {"count": 30, **BEST, "versions": 2}], 1000
            ),
            "numerator": 450,
            "deposits": 480,
            "shown": "45.00",
            "status": "met",
        }
    ],
    "S14": [
        {"programme": SUN, "inputs": {"at": "2022-06-30T21:59:59Z"}, "window": "F1"},
        {"programme": SUN, "inputs": {"at": "2022-06-30T22:00:00Z"}, "window": "F2"},
    ],
    "S15": [
        {
            **_share("F3", "imaging", "0.125"),
            "base": {"imaging": "30000.00"},
            "amount": "25500.00",
            "refused": True,
        }
    ],
    "S16": [
        {
            **_share(window, "imaging", "0.5"),
            "base": {"imaging": "120000.00"},
            "amount": "100000.00",
            "refused": True,
        }
        for window in ("F1", "F2")
    ]
    + [
        {
            **_attained(
                "F2", {"imaging": 1}, share={"imaging": "0.5"}, options={"K4": "cap-first"}
            ),
            "amount": "90000.00",
            "refused": True,
        }
    ],
    "S17": [
        {
            **_attained(
                "F1",
                {"discharge": 1, "biology": 1, "imaging": 1},
                base={"discharge": 70_000, "biology": 20_000, "imaging": 30_000},
                options={"K3": scope},
            ),
            "amount": amount,
            "refused": True,
        }
        for scope, amount in (
            ("establishment", "100000.00"),
            ("domain", "120000.00"),
            ("pilot", "120000.00"),
        )
    ],
    "S18": [
        {
            **_share("F2", "imaging", "0.0987"),
            "base": {"imaging": "23688.00"},
            "amount": "21319.20",
            "refused": True,
        }
    ],
    "S19": [
        {
            **_share("F3", "biology", "0.333333"),
            "base": {"biology": "36666.63"},
            "exact": "311666355/10000",
            "amount": "31166.64",
        }
    ],
    "S20": [
        {
            **_su4(
                "F1",
                900,
                1000,
                prerequisites={name: name != "P6" for name in ("P1", "P2", "P3", "P4", "P5", "P6")},
            ),
            "shown": "90.00",
            "status": "met",
            "reason": {"biology": "prerequisites"},
            "amount": "0.00",
        }
    ],
    "S21": [
        {
            **_su4("F1", 900, 1000, own={"own_laboratory": False}),
            "status": "met",
            "reason": {"biology": "own_laboratory"},
            "amount": "0.00",
        }
    ],
    "S22": [
        {
            **_discharge("met", "met", {"numerator": 0, "denominator": 0}),
            "groups": {"discharge": "met"},
            "amount": "70000.00",
            "refused": True,
        }
    ],
    "S23": [
        {
            **_discharge("met", "not_met", {"numerator": 0, "denominator": 0}),
            "groups": {"discharge": "not_met"},
            "amount": "0.00",
            "refused": True,
        }
    ],
    "S24": [
        {
            **_su4("F3", 590, 1000, paid=[{"window": "F1", "group": "biology", "amount": 60_000}]),
            "status": "met",
            "reason": {"biology": "already_paid"},
            "amount": "0.00",
        }
    ],
    "S25": [{**_su4("F2", 500, 1000), "shown": "50.00", "status": "not_met", "amount": "0.00"}],
    "S26": [
        {"programme": SUN, "budgets": [123_000_000, 11_000_000, 24_000_000], "budget": 158_000_000},
        {"programme": "sun-es-volet-2", "budgets": [1_500_000, 50_500_000], "budget": 52_000_000},
    ],
    "S27": [
        {
            **_attained(
                "F1",
                {"biology": 1},
                activity={"biology": {"establishment": 0, "pool": 8_500_000}},
            ),
            "base": {"biology": "0.00"},
            "amount": "0.00",
        },
        {
            **_attained(
                "F1", {"biology": 1}, activity={"biology": {"establishment": 0, "pool": 0}}
            ),
            "amount": "0.00",
        },
    ],
    "S28": [
        {
            **_documents(
                "SU4",
                "F4",
                [
                    {"count": 7, **BEST},
                    {"count": 1, **PROVISIONAL, "deposited": "2023-11-05"},
                ],
                10,
            ),
            "numerator": 7,
            "left_out": {"rejected": 1},
        }
    ],
    "S29": [{**_su4("F3", 1, 1, base="0.10", options={"K3": "none"}), "amount": "0.09"}],
    "S30": [{**_su4("F2", 1, 1, base="0.05", options={"K3": "none"}), "amount": "0.05"}],
}

_SIX = ("V1-1", "V1-2", "V1-3", "V1-4", "V1-5", "V1-6")


def _year(year: int, indicators: Case | None = None, **more: Any) -> Case:
    given = {"window": str(year), "indicators": indicators or {}, **more}
    return {"programme": f"forfait-structure-{year}", "inputs": given}


def _attest(codes: tuple[str, ...], said: str = "met") -> Case:
    return {code: {"attained": said} for code in codes}


def _rate(year: int, code: str, n: int, d: int, **more: Any) -> Case:
    case = _year(year, {code: {"numerator": n, "denominator": d}}, **more)
    return {**case, "code": code}


EVERYTHING = {"volet-1": "met", "volet-2": "met"}

FORFAIT: dict[str, list[Case]] = {
    "F01": [{**_year(2022, _attest(_SIX)), "points": 400, "amount": "2800.00"}],
    "F02": [
        {
            **_year(
                2022,
                {
                    **_attest(_SIX[:5]),
                    **_attest(_SIX[5:], "not_met"),
                    "DMP": {"numerator": 80, "denominator": 100},
                },
            ),
            "reason": {"volet-2": "locked"},
            "points": 0,
            "amount": "0.00",
        }
    ],
    "F03": [{**_year(2022, _attest((*_SIX, "DMP"))), "points": 440, "amount": "3080.00"}],
    "F04": [{**_year(2022, attained=EVERYTHING), "points": 1385, "amount": "9695.00"}],
    "F05": [{**_year(2023, attained={"volet-1": "met"}), "points": 280, "amount": "1960.00"}],
    "F06": [{**_year(2023, attained=EVERYTHING), "points": 1163, "amount": "8141.00"}],
    "F07": [
        {**_year(year, attained=EVERYTHING), "points": 1115, "amount": "7805.00"}
        for year in (2024, 2025)
    ],
    "F08": [
        {**_rate(2022, "V1-4", 2000, 3000), "status": "met"},
        {**_rate(2022, "V1-4", 1999, 3000), "status": "not_met"},
    ],
    "F09": [
        {
            **_year(2022, {**_attest(_SIX), "DMP": {"numerator": 800, "denominator": 4000}}),
            "code": "DMP",
            "shown": "20.00",
            "status": "met",
            "points": 440,
            "amount": "3080.00",
        }
    ],
    "F10": [{**_rate(2022, "DMP", 799, 4000), "shown": "19.98", "status": "not_met"}],
    "F11": [{**_rate(2022, "DMP", 39_999, 200_000), "shown": "20.00", "status": "not_met"}],
    "F12": [
        {
            **_year(
                2022, {"DMP": {"documents": [{"count": 500, "acts": 180}], "denominator": 1000}}
            ),
            "code": "DMP",
            "numerator": 180,
            "shown": "18.00",
            "status": "not_met",
        }
    ],
    "F13": [{**_rate(2022, "DMP", 0, 0), "shown": None, "status": "not_applicable"}],
    "F14": [
        {**_rate(2023, "MSSC", 200, 4000), "shown": "5.00", "status": "met"},
        {**_rate(2023, "MSSC", 199, 4000), "exact_value": "199/40", "status": "not_met"},
    ],
    "F15": [
        {**_rate(2023, "EPRE", 1500, 3000), "shown": "50.00", "status": "met"},
        {**_rate(2023, "EPRE", 1499, 3000), "shown": "49.97", "status": "not_met"},
    ],
    "F16": [
        {**_rate(2023, "APCV", 180, 3600), "shown": "5.00", "status": "met"},
        {**_rate(2023, "APCV", 179, 3600), "shown": "4.97", "status": "not_met"},
    ],
    "F17": [
        {
            "programme": "radiologues",
            "code": "CR-DMP",
            "inputs": {
                "window": "2022",
                "indicators": {"CR-DMP": {"numerator": 1200, "denominator": 6000}},
            },
            "shown": "20.00",
            "status": "met",
            "counts": "report.validated",
        }
    ],
    "F18": [
        {
            "programme": "radiologues",
            "code": "CR-DMP",
            "inputs": {
                "window": "2022",
                "indicators": {"CR-DMP": {"numerator": 1199, "denominator": 6000}},
            },
            "shown": "19.98",
            "status": "not_met",
        }
    ],
    "F19": [
        {
            **_rate(
                2023, "APCV", 0, 3600,
                attained={"volet-1": "met"}, options={"neutralised-apcv": "excluded"},
            ),
            "status": "neutralised",
            "points": 280,
            "amount": "1960.00",
        }
    ],
    "F20": [{**_rate(2022, "EPRE", 1500, 3000), "shown": None, "status": "not_in_force"}],
}  # fmt: skip


def _vsm(ald: int, with_vsm: int, patientele: int, structured: int, **more: Any) -> Case:
    indicators = {
        "VSM": {"numerator": with_vsm, "denominator": ald},
        "VSM-STRUCTURE": {"numerator": structured, "denominator": with_vsm},
    }
    given = {"window": "R1", "indicators": indicators, "patientele": patientele, **more}
    return {"programme": VSM, "code": "VSM", "inputs": given}


def _both(
    ald: int, with_vsm: int, patientele: int, structured: int, seed: str, legal: str, **more: Any
) -> list[Case]:
    """Under the seed's rule (at least a third), and under the legal text's (more than one)."""
    return [
        {**_vsm(ald, with_vsm, patientele, structured), **more, "amount": seed},
        {**_vsm(ald, with_vsm, patientele, structured, options={"K7": "strict"}), "amount": legal},
    ]


SUMMARIES: dict[str, list[Case]] = {
    "V01": _both(100, 50, 800, 0, "1500.00", "1500.00", shown="50.00"),
    "V02": _both(100, 49, 800, 0, "0.00", "0.00", shown="49.00"),
    "V03": _both(100, 90, 800, 0, "3000.00", "3000.00", shown="90.00"),
    "V04": _both(100, 89, 800, 0, "1500.00", "1500.00", shown="89.00"),
    "V05": _both(100, 60, 1200, 0, "2250.00", "2250.00", shown="60.00"),
    "V06": _both(100, 90, 400, 0, "1500.00", "1500.00", shown="90.00"),
    "V07": _both(90, 90, 800, 30, "3600.00", "3000.00"),
    "V08": _both(90, 90, 800, 31, "3600.00", "3600.00"),
    "V09": _both(90, 90, 800, 29, "3000.00", "3000.00"),
    "V10": _both(200, 190, 1000, 95, "4500.00", "4500.00", shown="95.00"),
    "V11": _both(0, 0, 800, 0, "0.00", "0.00", shown=None),
    "V12": _both(100, 0, 800, 0, "0.00", "0.00", shown="0.00"),
    "V13": _both(120, 60, 777, 20, "1748.25", "1456.88"),
    "V14": _both(120, 60, 777, 21, "1748.25", "1748.25"),
    "V15": _both(101, 50, 800, 0, "0.00", "0.00") + _both(101, 51, 800, 0, "1500.00", "1500.00"),
    "V16": _both(101, 90, 800, 0, "1500.00", "1500.00")
    + _both(101, 91, 800, 0, "3000.00", "3000.00"),
    "V17": _both(300, 270, 2400, 270, "10800.00", "10800.00"),
    "V18": _both(150, 135, 0, 50, "0.00", "0.00"),
    "V19": [
        {**_vsm(100, 90, 800, 0, reached_at=at, options={"K8": deadline}), "amount": amount}
        for at, deadline, amount in (
            ("2023-06-30T21:59:59Z", "june-2023", "3000.00"),
            ("2023-06-30T22:00:00Z", "june-2023", "0.00"),
            ("2023-06-30T22:00:00Z", "december-2023", "3000.00"),
        )
    ],
    "V20": [
        {
            **_vsm(
                100, 90, 800, 0,
                window="R2", paid=[{"window": "R1", "group": "vsm", "amount": 1500}],
            ),
            "reason": {"vsm": "already_paid"},
            "amount": "0.00",
        }
    ],
}  # fmt: skip


def _donum(year: int, socle1: str, rates: tuple[int, int, int, int], **more: Any) -> Case:
    means = dict(zip(("DCMT", "FSE", "PSE", "AAT"), rates, strict=True))
    indicators = {"SOCLE-1": {"attained": socle1}, "SOCLE-2": {"rates": means}}
    given = {"window": str(year), "indicators": indicators, **more}
    return {"programme": DONUM, "code": "SOCLE-2", "inputs": given}


def _options(*met: str) -> Case:
    case = _donum(2026, "met", (80, 90, 20, 50))
    case["inputs"]["indicators"] |= {code: {"attained": "met"} for code in met}
    return case


ENDOWMENT: dict[str, list[Case]] = {
    # What the two socles are worth without the options is remembered, not published.
    "D01": [
        {
            **_donum(2026, "met", (80, 90, 20, 50)),
            "shown": "60.00",
            "status": "met",
            "refused": True,
        }
    ],
    "D02": [
        {
            **_donum(2026, "met", (80, 90, 19, 50)),
            "shown": "59.75",
            "status": "not_met",
            "amount": "0.00",
        }
    ],
    "D03": [{**_donum(2028, "met", (60, 60, 60, 60)), "shown": "60.00", "status": "not_met"}],
    "D04": [
        {
            "programme": DONUM,
            "inputs": {"window": "2026", "attained": {"socles": "met", "options": "met"}},
            "points": 420,
            "amount": "2940.00",
        },
        # The same, indicator by indicator, as a dossier states them; of fewer the points are unknown.
        {**_options("OPTION-1", "OPTION-2", "OPTION-3"), "points": 420, "amount": "2940.00"},
        {**_options("OPTION-1"), "reason": {"options": "points_unknown"}, "refused": True},
    ],
    "D05": [
        {
            **_donum(2026, "not_met", (80, 90, 20, 50), attained={"options": "met"}),
            "reason": {"options": "locked"},
            "points": 0,
            "amount": "0.00",
        }
    ],
    "D06": [
        {
            "programme": DONUM,
            "inputs": {"at": "2025-06-30T10:00:00Z", "attained": {"socles": "met"}},
            "window": None,
            "before": "forfait-structure-2025",
        }
    ],
}

VECTORS = {**SUN_ES, **FORFAIT, **SUMMARIES, **ENDOWMENT}
