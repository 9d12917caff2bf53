"""Write the texts of the tutorial: 200 Czech postcards that nobody sent, as two tables in data/postcards/."""

import csv
import random
from pathlib import Path

FOLDER = Path("data", "postcards")
HEADINGS = ("text", "mood", "season")
GREETINGS = ("Milá babičko,", "Ahoj Jano,", "Zdravím tě, Petře!", "Drazí rodiče,", "Moje zlatá,", "Vážení přátelé,")
PLACES = ("z Tater", "od Lipna", "z Jeseníku", "od moře", "z Telče", "ze Šumavy", "z Brna", "z naší chalupy")
CLOSINGS = ("Líbá tě Anna.", "Tvůj Karel", "Zdraví Eva a děti.", "Za týden jsme doma.", "Brzy se ozvu.", "Ahoj!")
# What happens in either season, in one of the two moods.
HAPPENED = {
    ("summer", "merry"): (
        "Svítí slunce a voda je krásně teplá.", "Včera jsme tančili až do rána.", "Borůvek je letos plný les.",
        "Naučil jsem se plavat!", "Jíme zmrzlinu třikrát denně.", "Konečně jsme viděli východ slunce.",
    ),
    ("summer", "sad"): (
        "Už třetí den prší a nikde nikdo není.", "Ztratili jsme kufr i peníze.", "Bolí mě zub a doktor je na dovolené.",
        "Spálil jsem se a nemůžu spát.", "Vlak nám ujel a čekáme v horku.", "Je mi tu bez tebe smutno.",
    ),
    ("winter", "merry"): (
        "Napadl sníh a lyže jedou samy.", "U kamen je teplo a voní tu cukroví.", "Postavili jsme sněhuláka s mrkví.",
        "Na rybníku se bruslí a hraje hudba.", "Dostal jsem nové sáňky!", "Dnes v noci padaly hvězdy.",
    ),
    ("winter", "sad"): (
        "Všechno zmrzlo a auto nechce jet.", "Mám horečku a ležím celý den.", "Sníh roztál a zbylo jen bláto.",
        "Zlomil jsem si lyži hned první den.", "Vánoce strávím sám.", "V pokoji je zima a topení nejde.",
    ),
}  # fmt: skip
RANDOM = random.Random(1)  # noqa: S311 - the same texts each time


def postcard(season: str, mood: str) -> str:
    """Write one postcard: a greeting, a place, two or three things that happened, and an end."""
    happened = RANDOM.sample(HAPPENED[season, mood], RANDOM.choice((2, 3)))
    return " ".join([RANDOM.choice(GREETINGS), f"píšu {RANDOM.choice(PLACES)}.", *happened, RANDOM.choice(CLOSINGS)])


FOLDER.mkdir(parents=True, exist_ok=True)
for one in ("summer", "winter"):
    moods = [RANDOM.choice(("merry", "sad")) for _ in range(100)]
    with (FOLDER / f"{one}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADINGS, *((postcard(one, mood), mood, one) for mood in moods)])
    print(f"{file.name}: {len(moods)} postcards, {moods.count('merry')} of them merry")
