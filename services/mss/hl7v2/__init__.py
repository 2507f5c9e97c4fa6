"""The hospital's side: documents come in as HL7v2 over MLLP, leave as mails, and are acknowledged.

Socle stands where the PFI stands (GESTIONNAIRE). Source: ANS, volet "Transmission d'un document CDA R2
en HL7v2", guide 2.1.2 (spec: mss.md §4.2).
"""
