"""XDS metadata as DMP and secure mail share them: entries, sets, and their ebRIM (ITI TF-3 §4.2)."""
