"""The words: gettext catalogs, English sentences as keys."""
