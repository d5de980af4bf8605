"""The addresses below ``/API/v3``, whose parts ``Call`` reads."""

__all__ = ["CONTACT", "CONTACTS", "DIRECTORY", "TRANSACTION"]

DIRECTORY = "/directories/{directory}"
CONTACTS = f"{DIRECTORY}/contacts"
CONTACT = f"{CONTACTS}/{{contact}}"
TRANSACTION = f"{CONTACT}/transactions/{{transaction}}"
