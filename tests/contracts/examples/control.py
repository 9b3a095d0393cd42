from datetime import date

from shared.contracts.control import BankAccount, OfficeChanged, Requisites, StaffChanged, VatSetting
from shared.vocabulary.worktime import WorkingCalendar, office_week
from tests.contracts.examples.story import MANAGER, OFFICE, SENIOR, at

EXAMPLES = (
    OfficeChanged(
        office_id=OFFICE,
        version=1,
        occurred_at=at(0),
        name="ПроДеталь-Мира 45",
        city="Екатеринбург",
        address="ул. Мира, 45",
        time_zone="Asia/Yekaterinburg",
        phones=["8 (343) 200-00-00"],
        email="mira45@prodetal.example",
        requisites=Requisites(
            legal_name="ООО «ПроДеталь»",
            inn="7707083893",
            kpp="773601001",
            ogrn="1027700132195",
            legal_address="620000, Екатеринбург, ул. Мира, 45",
            director_name="Петров Пётр Петрович",
            accountant_name="Сидорова Анна Ивановна",
        ),
        bank_accounts=[
            BankAccount(
                bic="044525225",
                bank_name="ПАО Сбербанк",
                account="40702810938000012345",
                correspondent_account="30101810400000000225",
            )
        ],
        vat=[VatSetting(effective_from=date(2026, 1, 1), rate_percent=20)],
        calendar=WorkingCalendar.model_validate(
            {
                "time_zone": "Asia/Yekaterinburg",
                "weekly": office_week(saturday=(("10:00", "15:00"),)),
                "exceptions": {"2026-03-09": []},
                "public_holidays": True,
                "shortened_days": {"2026-04-30": 60},
                "version": 1,
            }
        ),
        courier_delivery=True,
        active=True,
    ),
    StaffChanged(
        office_id=OFFICE,
        version=1,
        occurred_at=at(1),
        staff_id=MANAGER,
        full_name="Иванов Иван Иванович",
        role="manager",
        email="ivanov@prodetal.example",
        phone="+79221112233",
        active=True,
    ),
    StaffChanged(
        office_id=OFFICE,
        version=1,
        occurred_at=at(2),
        staff_id=SENIOR,
        full_name="Орлова Мария Сергеевна",
        role="senior_manager",
        email="orlova@prodetal.example",
        active=True,
    ),
)
