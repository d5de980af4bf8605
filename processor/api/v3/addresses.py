"""The addresses below ``/API/v3``, whose parts ``Call`` reads."""

__all__ = ["CONTACT", "CONTACTS", "DIRECTORY", "LIST", "LISTS", "MEMBER", "MEMBERS", "TRANSACTION"]

DIRECTORY = "/directories/{directory}"
CONTACTS = f"{DIRECTORY}/contacts"
CONTACT = f"{CONTACTS}/{{contact}}"
TRANSACTION = f"{CONTACT}/transactions/{{transaction}}"
LISTS = f"{DIRECTORY}/mailinglists"
LIST = f"{LISTS}/{{list}}"
MEMBERS = f"{LIST}/contacts"
MEMBER = f"{MEMBERS}/{{contact}}"
