"""Russian names as they are written on cards: «Фамилия Имя Отчество»."""


def initials(full_name: str) -> str:
    """Return the initials that sign an entry of the log (CL-11).

    «Андреева Мария» and «Петрова Мария Алексеевна» both become «М.А.».
    """
    match full_name.split():
        case [surname, given]:
            letters = [given[0], surname[0]]
        case [_, given, patronymic, *_]:
            letters = [given[0], patronymic[0]]
        case words:
            letters = [word[0] for word in words]
    return "".join(f"{letter.upper()}." for letter in letters)


def given_name(full_name: str) -> str:
    """Return the given name, «Иванов Иван Иванович» → «Иван»; a single word stays as it is."""
    words = full_name.split()
    return words[1] if len(words) > 1 else full_name.strip()
