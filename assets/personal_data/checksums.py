"""The checksums by which a row of digits is known to be a card or an account."""


def luhn(digits: str) -> bool:
    """Return whether the checksum of a card's number (ISO/IEC 7812) fits."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def is_iban(plain: str) -> bool:
    """Return whether length and checksum (ISO 13616) fit; capitals and digits, no spaces."""
    number = "".join(str(int(character, 36)) for character in plain[4:] + plain[:4])
    return 15 <= len(plain) <= 34 and int(number) % 97 == 1
