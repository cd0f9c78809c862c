"""The one kind of error that is the user's to mend."""


class UserError(Exception):
    """Something in the user's data, configuration or checkpoint is wrong; the message says what and where.

    Entry points print the message and exit with status 2; no traceback is shown.
    """
