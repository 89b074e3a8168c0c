"""What the data sets of the two groups were measured by, as the archive's own list says.

DataSummary.csv of the UCR archive, column "Type".
"""

_SETS = {
    "image outlines": """
        Adiac ArrowHead DiatomSizeReduction DistalPhalanxOutlineCorrect DistalPhalanxTW FaceFour
        Fish HandOutlines Herring MedicalImages MiddlePhalanxOutlineCorrect MiddlePhalanxTW OSULeaf
        ProximalPhalanxOutlineAgeGroup ProximalPhalanxOutlineCorrect ProximalPhalanxTW SwedishLeaf
    """,
    "sensor": """
        Car Earthquakes FordA FordB ItalyPowerDemand Lightning2 Lightning7 MoteStrain Plane
        SonyAIBORobotSurface1 Trace Wafer
    """,
    "motion": "CricketX GunPoint GunPointAgeSpan Haptics ToeSegmentation1 Worms WormsTwoClass",
    "spectrograms": "Beef Coffee Ham Meat Strawberry Wine",
    "simulated": "BME CBF ShapeletSim SyntheticControl",
    "ECG": "ECG200 ECG5000 ECGFiveDays TwoLeadECG",
    "device": "ACSF1 SmallKitchenAppliances",
    "power": "PowerCons",
    "EPG": "InsectEPGRegularTrain",
    "traffic": "Chinatown",
}
TYPES = {name: kind for kind, names in _SETS.items() for name in names.split()}
ORDER = tuple(_SETS)
