"""What a biology report of ours measures: LOINC code, label, unit, reference range, decimals."""

from typing import Final, NamedTuple


class Test(NamedTuple):
    loinc: str
    label: str
    unit: str
    low: float
    high: float
    decimals: int


BLOOD_COUNT: Final = (
    Test("789-8", "Erythrocytes", "10*12/L", 4.0, 5.7, 2),
    Test("718-7", "Hémoglobine", "g/dL", 12.0, 17.0, 1),
    Test("4544-3", "Hématocrite", "%", 37.0, 50.0, 1),
    Test("787-2", "Volume globulaire moyen", "fL", 80.0, 98.0, 1),
    Test("785-6", "Teneur corpusculaire moyenne en hémoglobine", "pg", 27.0, 33.0, 1),
    Test("6690-2", "Leucocytes", "10*9/L", 4.0, 10.0, 2),
    Test("777-3", "Plaquettes", "10*9/L", 150.0, 400.0, 0),
    Test("751-8", "Polynucléaires neutrophiles", "10*9/L", 1.8, 7.5, 2),
    Test("731-0", "Lymphocytes", "10*9/L", 1.0, 4.0, 2),
    Test("742-7", "Monocytes", "10*9/L", 0.2, 0.9, 2),
)
CHEMISTRY: Final = (
    Test("2345-7", "Glucose", "mg/dL", 70.0, 106.0, 0),
    Test("2951-2", "Sodium", "mmol/L", 136.0, 145.0, 0),
    Test("2823-3", "Potassium", "mmol/L", 3.5, 5.1, 1),
    Test("2075-0", "Chlorures", "mmol/L", 98.0, 107.0, 0),
    Test("2160-0", "Créatinine", "mg/dL", 0.6, 1.3, 2),
    Test("3094-0", "Azote uréique", "mg/dL", 7.0, 20.0, 1),
    Test("1742-6", "Alanine aminotransférase", "U/L", 7.0, 45.0, 0),
    Test("1920-8", "Aspartate aminotransférase", "U/L", 8.0, 40.0, 0),
    Test("2093-3", "Cholestérol total", "mg/dL", 120.0, 200.0, 0),
    Test("2571-8", "Triglycérides", "mg/dL", 35.0, 150.0, 0),
    Test("1988-5", "Protéine C réactive", "mg/L", 0.0, 5.0, 1),
    Test("4548-4", "Hémoglobine A1c", "%", 4.0, 6.0, 1),
)
