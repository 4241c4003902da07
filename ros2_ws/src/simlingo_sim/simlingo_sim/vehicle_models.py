"""The vehicles of the embedded world: names as in CARLA's catalogue, sizes of such vehicles without mirrors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VehicleModel:
    """One kind of vehicle. Lengths in m, mass in kg."""

    type_id: str
    base_type: str  # car, van, truck, bus, motorcycle, bicycle
    length: float
    width: float
    height: float
    wheelbase: float
    mass: float
    wheels: int = 4
    agility: float = 1.0  # scale of the driving force, 1 for a family car
    top_speed: float = 60.0  # m/s that traffic drives it at most
    share: float = 1.0  # weight in generated traffic; 0 keeps it out
    paints: tuple[str, ...] = ()  # colours it comes in, as the attribute "color"; empty: any
    tagged_truck: bool = False  # its mesh lies in CARLA's folder of trucks, whatever its base type


_WHITE, _RED, _YELLOW = "232,234,236", "186,22,24", "236,178,24"
#: Vehicles that people have a word for; generated traffic has none of them.
_RARE = (
    VehicleModel(
        "vehicle.dodge.charger_police", "car", 5.00, 1.94, 1.52, 3.05, 1900.0, share=0.0, paints=(_WHITE,), agility=1.3
    ),
    VehicleModel("vehicle.ford.crown", "car", 5.36, 1.94, 1.52, 2.91, 1850.0, share=0.0, paints=(_YELLOW,)),
    VehicleModel("vehicle.jeep.wrangler_rubicon", "car", 3.87, 1.88, 1.88, 2.42, 1850.0, share=0.0),
    VehicleModel(
        "vehicle.ford.ambulance",
        "van",
        6.36,
        2.20,
        2.70,
        3.96,
        4500.0,
        agility=0.8,
        share=0.0,
        paints=(_WHITE,),
        tagged_truck=True,
    ),
    VehicleModel(
        "vehicle.carlamotors.firetruck",
        "truck",
        8.47,
        2.50,
        3.30,
        4.60,
        12000.0,
        agility=0.5,
        top_speed=25.0,
        share=0.0,
        paints=(_RED,),
    ),
    VehicleModel(
        "vehicle.carlamotors.carlacola",
        "truck",
        5.20,
        2.30,
        2.60,
        2.90,
        5500.0,
        agility=0.6,
        top_speed=22.0,
        share=0.0,
        paints=(_RED,),
    ),
    VehicleModel(
        "vehicle.harley-davidson.low_rider",
        "motorcycle",
        2.36,
        0.76,
        1.60,
        1.60,
        300.0,
        wheels=2,
        agility=1.2,
        share=0.0,
    ),
    VehicleModel("vehicle.yamaha.yzf", "motorcycle", 2.20, 0.76, 1.55, 1.40, 270.0, wheels=2, agility=1.4, share=0.0),
    VehicleModel("vehicle.vespa.zx125", "motorcycle", 1.85, 0.74, 1.55, 1.28, 200.0, wheels=2, agility=0.8, share=0.0),
    VehicleModel(
        "vehicle.bh.crossbike",
        "bicycle",
        1.75,
        0.55,
        1.75,
        1.07,
        90.0,
        wheels=2,
        agility=0.4,
        top_speed=6.0,
        share=0.0,
    ),
    VehicleModel(
        "vehicle.gazelle.omafiets",
        "bicycle",
        1.84,
        0.55,
        1.78,
        1.10,
        95.0,
        wheels=2,
        agility=0.4,
        top_speed=4.5,
        share=0.0,
    ),
)

#: Every vehicle blueprint, by id. The first is the ego of this project (spec D.1 drives the same car).
VEHICLE_MODELS: dict[str, VehicleModel] = {
    model.type_id: model
    for model in (
        VehicleModel("vehicle.lincoln.mkz_2020", "car", 4.90, 1.84, 1.49, 2.86, 1700.0, share=0.8),
        VehicleModel("vehicle.tesla.model3", "car", 4.79, 1.90, 1.49, 2.88, 1845.0),
        VehicleModel("vehicle.toyota.prius", "car", 4.51, 1.82, 1.52, 2.70, 1400.0),
        VehicleModel("vehicle.mercedes.coupe", "car", 4.80, 1.88, 1.42, 2.84, 1650.0, share=0.7),
        VehicleModel("vehicle.audi.a2", "car", 3.70, 1.70, 1.55, 2.40, 1000.0),
        VehicleModel("vehicle.nissan.micra", "car", 3.72, 1.68, 1.50, 2.43, 1000.0),
        VehicleModel("vehicle.citroen.c3", "car", 3.99, 1.75, 1.55, 2.54, 1150.0),
        VehicleModel("vehicle.mini.cooper_s", "car", 3.80, 1.72, 1.42, 2.48, 1200.0, share=0.7),
        VehicleModel("vehicle.nissan.patrol", "car", 4.60, 1.93, 1.86, 2.80, 2100.0),
        VehicleModel("vehicle.audi.etron", "car", 4.86, 1.94, 1.63, 2.93, 2400.0),
        VehicleModel("vehicle.volkswagen.t2", "van", 4.48, 1.80, 2.04, 2.40, 1500.0, agility=0.8, share=0.7),
        VehicleModel("vehicle.mercedes.sprinter", "van", 5.92, 1.99, 2.56, 3.66, 2400.0, agility=0.75, share=0.8),
        VehicleModel(
            "vehicle.carlamotors.european_hgv",
            "truck",
            7.94,
            2.45,
            3.30,
            4.50,
            9000.0,
            agility=0.5,
            top_speed=22.0,
            share=0.5,
        ),
        VehicleModel(
            "vehicle.mitsubishi.fusorosa", "bus", 9.00, 2.45, 3.00, 4.90, 8500.0, agility=0.5, top_speed=22.0, share=0.4
        ),
        VehicleModel(
            "vehicle.kawasaki.ninja", "motorcycle", 2.05, 0.76, 1.55, 1.40, 280.0, wheels=2, agility=1.4, share=0.3
        ),
        VehicleModel(
            "vehicle.diamondback.century",
            "bicycle",
            1.75,
            0.55,
            1.75,
            1.05,
            90.0,
            wheels=2,
            agility=0.4,
            top_speed=5.5,
            share=0.3,
        ),
        *_RARE,
    )
}

#: Blueprint of the ego vehicle of this project.
EGO_BLUEPRINT = "vehicle.lincoln.mkz_2020"


def traffic_models() -> list[VehicleModel]:
    """The kinds that generated traffic is made of, in a fixed order."""
    return [model for model in VEHICLE_MODELS.values() if model.share > 0.0]
