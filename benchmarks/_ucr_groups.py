"""The two groups of data sets: choose on the one, report on the other."""

DEVELOPMENT = tuple(
    """
    ACSF1 Adiac ArrowHead BME Beef CBF Car Chinatown CricketX DiatomSizeReduction
    DistalPhalanxOutlineCorrect ECGFiveDays FaceFour Fish GunPointAgeSpan InsectEPGRegularTrain
    Lightning7 Meat MedicalImages MoteStrain OSULeaf PowerCons ShapeletSim SwedishLeaf
    ToeSegmentation1
    """.split()
)

# The thirty sets of Voice2Series. No design decision may look at them.
HEADLINE = tuple(
    """
    Coffee DistalPhalanxTW ECG200 ECG5000 Earthquakes FordA FordB GunPoint Ham HandOutlines Haptics
    Herring ItalyPowerDemand Lightning2 MiddlePhalanxOutlineCorrect MiddlePhalanxTW Plane
    ProximalPhalanxOutlineAgeGroup ProximalPhalanxOutlineCorrect ProximalPhalanxTW
    SmallKitchenAppliances SonyAIBORobotSurface1 Strawberry SyntheticControl Trace TwoLeadECG Wafer
    WormsTwoClass Worms Wine
    """.split()
)

GROUPS = {"development": DEVELOPMENT, "headline": HEADLINE}
