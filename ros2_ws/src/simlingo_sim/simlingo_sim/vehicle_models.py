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
    )
}

#: Blueprint of the ego vehicle of this project.
EGO_BLUEPRINT = "vehicle.lincoln.mkz_2020"
