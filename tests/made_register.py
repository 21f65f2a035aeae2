"""A small register in the form of Norway's: its columns, invented Norwegian texts, a few classes with most of the rows."""

import random

import polars as pl

BUSINESSES = {
    "68.20": (90, ["utleie av egen bolig", "utleie av næringslokaler", "eie og leie ut fast eiendom", "drift av utleiegård"]),
    "41.00": (70, ["bygging av eneboliger", "tømrerarbeid og nybygg", "oppføring av hytter", "totalentreprise for boligbygg"]),
    "47.11": (
        50,
        ["dagligvarebutikk", "nærbutikk med matvarer", "salg av mat og drikke i butikk", "landhandel med bredt utvalg"],
    ),
    "96.21": (40, ["frisørsalong", "klipp og farge av hår", "frisør for damer og herrer", "herrefrisør i sentrum"]),
    "49.33": (30, ["drosjekjøring", "taxi med løyve", "persontransport med drosje", "kjøring av drosje på dag og natt"]),
    "01.41": (20, ["melkeproduksjon", "gård med melkekyr", "drift av fjøs med kyr", "oppdrett av melkekveg"]),
    "10.71": (12, ["bakeri med ferske brød", "produksjon av kaker og brød", "konditori", "steinovnsbakeri"]),
    "86.23": (8, ["tannlegepraksis", "tannlege for barn og voksne", "behandling av tenner", "tannklinikk"]),
    "03.21": (3, ["oppdrett av laks i sjø", "matfiskanlegg", "merder med ørret"]),
}
"""Classes, how many rows they have, and how their businesses say what they do."""
PLACES = ["Oslo", "Bergen", "Tromsø", "Ålesund", "Hamar", "Bodø", "Skien", "Røros", "Førde", "Vadsø"]
PURPOSES = ["Selskapets formål er virksomheten og det som står i naturlig sammenheng med den", None, "", "n/a"]
COLUMNS = {"REGISTER_TEXT": "company_activity,company_purpose", "REGISTER_CODE": "nace_21_code"}
"""What maps its columns."""


def made_register(seed: int = 1, without_code: int = 4, without_text: int = 3) -> pl.DataFrame:
    """The register, its rows mixed; the first rows that `without_code` and `without_text` count lack what these say."""
    chooser = random.Random(seed)
    rows = [
        (code, f"{chooser.choice(words).capitalize()} i {chooser.choice(PLACES)} nr. {number}", chooser.choice(PURPOSES))
        for code, (count, words) in BUSINESSES.items()
        for number in range(count)
    ]
    chooser.shuffle(rows)
    rows = [("00.000", "Uoppgitt", None)] * without_code + [("47.11", " ", "n/a")] * without_text + rows
    return pl.DataFrame(
        {
            "orgnr": [f"{900_000_000 + number}" for number in range(len(rows))],
            "company_name": [f"Oppdiktet {number} AS" for number in range(len(rows))],
            "company_activity": [text for _, text, _ in rows],
            "company_purpose": [purpose for *_, purpose in rows],
            "language": ["NOB"] * len(rows),
            "number_of_employees": [chooser.randrange(50) for _ in rows],
            "orgform": ["AS"] * len(rows),
            "nace_21_code": [code for code, *_ in rows],
        }
    )
