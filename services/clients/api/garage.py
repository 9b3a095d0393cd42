"""«Мой гараж», «Статистика проценок» and consents, for staff and for the client."""

from uuid import UUID

from fastapi import Response

from services.clients.commands import garage as commands
from services.clients.commands.consents import set_consent
from services.clients.commands.pricing import record_price_check
from services.clients.models import Consent, PriceCheck, Vehicle
from services.clients.queries import garage as queries
from services.clients.queries.cards import get_client
from services.clients.schemas.work import (
    AddVehicle,
    ChangeVehicle,
    ConsentOut,
    PriceCheckOut,
    RecordPriceCheck,
    SetConsent,
    VehicleOut,
)
from shared.base.clock import now
from shared.contracts.clients import ConsentPurpose
from shared.identity.roles import EVERYONE, Role
from shared.vocabulary.vehicles import ParsedNumber, describe_vin
from shared.web import (
    Caller,
    IfMatch,
    Page,
    PageRequest,
    Session,
    allow,
    check_version,
    paginate,
    service_router,
    set_etag,
)

router = service_router("Гараж и согласия")


def vehicle_out(vehicle: Vehicle, reading: ParsedNumber | None = None) -> VehicleOut:
    out = VehicleOut.model_validate(vehicle)
    if vehicle.vin is not None:
        facts = describe_vin(vehicle.vin)
        out = out.model_copy(update={"country": facts.country, "possible_years": facts.years})
    return out.model_copy(update={"correction": reading.explanation()}) if reading is not None else out


@router.get("/clients/{client_id}/vehicles", dependencies=[allow(*EVERYONE)], summary="Гараж клиента")
async def list_vehicles(client_id: UUID, session: Session, page: PageRequest) -> Page[VehicleOut]:
    """«Мой гараж» (CL-15); клиент указывает собственный идентификатор."""
    await get_client(session, client_id)
    rows, following = await paginate(
        session, queries.vehicles_of(client_id), page, key=(Vehicle.created_at.desc(), Vehicle.id.desc())
    )
    return Page(items=[vehicle_out(vehicle) for vehicle in rows], next=following.next)


@router.post(
    "/clients/{client_id}/vehicles",
    status_code=201,
    dependencies=[allow(*EVERYONE)],
    summary="Поставить автомобиль в гараж",
)
async def add_vehicle(client_id: UUID, body: AddVehicle, session: Session, response: Response) -> VehicleOut:
    """По VIN или FRAME (CL-15).

    Русские буквы, похожие на латинские, заменяются и показываются в `correction`. Вместо О и I предлагаются 0 и 1
    (`suggestion` в ответе 422); про Q спрашиваем. Контрольный знак не проверяется. Марка и год подставляются из VIN,
    если не указаны.
    """
    client = await get_client(session, client_id)
    vehicle, reading = await commands.add_vehicle(session, client, body, at=now())
    set_etag(response, vehicle.version)
    return vehicle_out(vehicle, reading)


@router.get("/vehicles/{vehicle_id}", dependencies=[allow(*EVERYONE)], summary="Автомобиль")
async def read_vehicle(vehicle_id: UUID, session: Session, response: Response) -> VehicleOut:
    """Автомобиль из гаража (CL-15)."""
    vehicle = await commands.get_vehicle(session, vehicle_id)
    set_etag(response, vehicle.version)
    return vehicle_out(vehicle)


@router.patch("/vehicles/{vehicle_id}", dependencies=[allow(*EVERYONE)], summary="Изменить автомобиль")
async def change_vehicle(
    vehicle_id: UUID, body: ChangeVehicle, session: Session, expected: IfMatch, response: Response
) -> VehicleOut:
    """Номер не меняется: другой номер — другой автомобиль (CL-15)."""
    vehicle = await commands.get_vehicle(session, vehicle_id)
    check_version(vehicle.version, expected)
    await commands.change_vehicle(session, vehicle, body, at=now())
    set_etag(response, vehicle.version)
    return vehicle_out(vehicle)


@router.delete(
    "/vehicles/{vehicle_id}", status_code=204, dependencies=[allow(*EVERYONE)], summary="Убрать автомобиль из гаража"
)
async def remove_vehicle(vehicle_id: UUID, session: Session, expected: IfMatch) -> None:
    """Заказы и запросы, где он указан, сохраняются (CL-15)."""
    vehicle = await commands.get_vehicle(session, vehicle_id)
    check_version(vehicle.version, expected)
    await commands.remove_vehicle(session, vehicle, at=now())


@router.get("/clients/{client_id}/price-checks", dependencies=[allow(*EVERYONE)], summary="Статистика проценок")
async def list_price_checks(client_id: UUID, session: Session, page: PageRequest) -> Page[PriceCheckOut]:
    """Что клиент проценивал на сайте, последние сверху; менеджер смотрит перед звонком (CL-14)."""
    await get_client(session, client_id)
    rows, following = await paginate(
        session, queries.price_checks_of(client_id), page, key=(PriceCheck.checked_at.desc(), PriceCheck.id.desc())
    )
    return Page(items=[PriceCheckOut.model_validate(row) for row in rows], next=following.next)


@router.post(
    "/clients/{client_id}/price-checks", status_code=201, dependencies=[allow(*EVERYONE)], summary="Записать проценку"
)
async def add_price_check(client_id: UUID, body: RecordPriceCheck, session: Session) -> PriceCheckOut:
    """Артикул и производитель, которые клиент проценил (CL-14)."""
    client = await get_client(session, client_id)
    return PriceCheckOut.model_validate(await record_price_check(session, client, body, at=now()))


@router.get("/clients/{client_id}/consents", dependencies=[allow(*EVERYONE)], summary="Согласия клиента")
async def list_consents(client_id: UUID, session: Session, page: PageRequest) -> Page[ConsentOut]:
    """Какие согласия, к какой редакции документа и когда даны или отозваны."""
    await get_client(session, client_id)
    rows, following = await paginate(
        session, queries.consents_of(client_id), page, key=(Consent.given_at.desc(), Consent.id.desc())
    )
    return Page(items=[ConsentOut.model_validate(row) for row in rows], next=following.next)


@router.put(
    "/clients/{client_id}/consents/{purpose}",
    status_code=204,
    dependencies=[allow(*EVERYONE)],
    summary="Дать или отозвать согласие",
)
async def change_consent(
    client_id: UUID, purpose: ConsentPurpose, body: SetConsent, session: Session, caller: Caller
) -> None:
    """К действующей редакции документа; повтор ничего не меняет. Без согласия на звонки нет и обзвона (CALL-04)."""
    client = await get_client(session, client_id, lock=True)
    recorded_by = None if caller.role == Role.CLIENT else caller.id
    await set_consent(session, client, purpose, given=body.given, recorded_by=recorded_by, at=now())
