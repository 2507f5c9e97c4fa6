"""Where mailboxes stand in the directory, as SQL: from an entry to its mailboxes, and back.

A mailbox stands where a PATCH has placed it (`annuaire_mailbox`); else PER and CAB with each owner who
is a professional, ORG and APP with the structure that answers for it or, where none is named, with the
main structure of its first owner. One that a PATCH deleted, or that is closed, stands nowhere.
"""

_FIRST_OWNER = """SELECT o.national_id FROM mss.mailbox_owner o
    WHERE o.space = :space AND o.address = m.address ORDER BY o.national_id LIMIT 1"""

_COLUMNS = """m.address, m.kind AS type, m.label, a.rank, coalesce(a.description, '') AS description,
    coalesce(a.service, '') AS service, coalesce(a.responsible, '') AS responsible,
    coalesce(a.red_listed, false) AS red_listed"""

_JOINED = """JOIN mss.mailbox m ON m.space = :space AND m.address = f.address AND m.active
    LEFT JOIN mss.annuaire_mailbox a ON a.space = :space AND a.address = f.address"""


def of_entry() -> str:
    """The mailboxes of `e`, which has kind, id, national_id and active."""
    return f"""
        SELECT {_COLUMNS} FROM (
            SELECT s.address FROM mss.annuaire_mailbox s
            WHERE s.space = :space AND s.kind = e.kind AND s.entry = e.id
        ) f {_JOINED} WHERE a.listed
        UNION ALL
        SELECT {_COLUMNS} FROM (
            SELECT o.address FROM mss.mailbox_owner o
            WHERE e.kind = 'Practitioner' AND e.active
                AND o.space = :space AND o.national_id = e.national_id
        ) f {_JOINED}
        WHERE a.entry IS NULL AND coalesce(a.listed, true) AND m.kind IN ('PER', 'CAB')
        UNION ALL
        SELECT {_COLUMNS} FROM (
            SELECT s.address FROM mss.mailbox s
            WHERE e.kind = 'Organization' AND s.space = :space AND s.structure <> ''
                AND s.structure = e.national_id
        ) f {_JOINED}
        WHERE a.entry IS NULL AND coalesce(a.listed, true) AND m.kind IN ('ORG', 'APP')
        UNION ALL
        SELECT {_COLUMNS} FROM (
            SELECT o.address, o.national_id FROM mss.annuaire_entry x
            JOIN mss.mailbox_owner o ON o.space = :space AND o.national_id = x.national_id
            WHERE e.kind = 'Organization' AND x.space = :space AND x.structure <> ''
                AND x.structure = e.id
        ) f {_JOINED}
        WHERE a.entry IS NULL AND coalesce(a.listed, true) AND m.kind IN ('ORG', 'APP')
            AND m.structure = '' AND f.national_id = ({_FIRST_OWNER})
    """


def of_mailbox(condition: str) -> str:
    """Kind and id of the entries of each mailbox `m` that meets the condition."""
    return f"""
        SELECT p.kind, p.entry, coalesce(a.red_listed, false) AS red_listed
        FROM mss.mailbox m
        LEFT JOIN mss.annuaire_mailbox a ON a.space = m.space AND a.address = m.address
        CROSS JOIN LATERAL (
            SELECT a.kind, a.entry WHERE a.entry IS NOT NULL
            UNION ALL
            SELECT x.kind, x.id FROM mss.mailbox_owner o
            JOIN mss.annuaire_entry x ON x.space = o.space AND x.national_id = o.national_id
                AND x.national_id <> '' AND x.kind = 'Practitioner' AND x.active
            WHERE a.entry IS NULL AND m.kind IN ('PER', 'CAB')
                AND o.space = m.space AND o.address = m.address
            UNION ALL
            SELECT x.kind, x.id FROM mss.annuaire_entry x
            WHERE a.entry IS NULL AND m.kind IN ('ORG', 'APP') AND m.structure <> ''
                AND x.space = m.space AND x.national_id <> '' AND x.national_id = m.structure
                AND x.kind = 'Organization'
            UNION ALL
            SELECT 'Organization', x.structure FROM mss.annuaire_entry x
            WHERE a.entry IS NULL AND m.kind IN ('ORG', 'APP') AND m.structure = ''
                AND x.space = m.space AND x.national_id <> '' AND x.kind = 'Practitioner'
                AND x.structure <> '' AND x.national_id = ({_FIRST_OWNER})
        ) p
        WHERE m.space = :space AND m.active AND {condition} AND coalesce(a.listed, true)
    """
