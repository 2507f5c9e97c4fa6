"""INDEX.HTM and README.TXT: what a person sees who opens the archive (ITI TF-2 §3.32.4.1.2)."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final

from socle.xdm.layout import README, ROOT, SUBSET

_PAGE: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN"
  "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr">
<head><title>Documents de santé</title></head>
<body>
<h1>Documents de santé</h1>
<p>Émetteur : {sender}</p>
<ul>
{documents}
</ul>
<p><a href="{readme}">{readme}</a></p>
</body>
</html>
"""

_README: Final = """\
Archive IHE XDM : documents de santé au format CDA R2

Produite par Socle, bac à sable des services socles, le {day}.
Données de test : aucun document ne concerne une personne réelle.

INDEX.HTM     liste des documents
{root}/       un dossier par lot : METADATA.XML et les documents
"""


def index_page(sender: str, documents: Sequence[tuple[str, str]]) -> bytes:
    """`documents` are file names and titles.

    The patient is not named: a list of files is often shown where the documents are not.
    """
    links = "\n".join(
        f'<li><a href="{SUBSET}/{name}">{escape(title or name)}</a></li>'
        for name, title in documents
    )
    return _PAGE.format(sender=escape(sender), documents=links, readme=README).encode()


def readme(now: datetime) -> bytes:
    text = _README.format(day=now.strftime("%d/%m/%Y"), root=ROOT)
    return text.replace("\n", "\r\n").encode()
