"""Everything perijove raises on purpose.

::

    PerijoveError
    ├── InputError            what was given cannot be used          (exit code 2)
    │   ├── ProductIdError    not a JunoCam product id
    │   ├── LabelError        a label that is missing, of another product, incomplete or absurd
    │   ├── ImageFileError    an image file that is damaged, of the wrong size or without content
    │   ├── CalibrationError  calibration files that do not fit the camera
    │   ├── KernelError       SPICE kernels that cannot be read
    │   ├── PointingFileError a file of solved pointing that is damaged, or of another version, image or raw file
    │   ├── LicenceError      a licence that is unknown, or that other licences do not allow
    │   ├── RecipeError       a recipe that is none, or that a picture cannot follow
    │   ├── OptionError       an option, or an output, that cannot be honoured
    │   └── MissingExtraError a part of perijove that is not installed
    └── GeometryError         the image is sound, but its pointing could not be found (exit code 1)

A message says what is wrong, with what, and what to do next.
"""


class PerijoveError(Exception):
    """Base of all errors that perijove raises on purpose."""

    exit_code = 1


class InputError(PerijoveError):
    """What was given cannot be used."""

    exit_code = 2


class ProductIdError(InputError):
    """A string that is not a JunoCam product id."""


class LabelError(InputError):
    """A label that is missing, belongs to another product, is incomplete or absurd."""


class ImageFileError(InputError):
    """An image file that is damaged, has the wrong size or holds no content."""


class CalibrationError(InputError):
    """Calibration files that do not fit the camera."""


class KernelError(InputError):
    """SPICE kernels that cannot be read."""


class PointingFileError(InputError):
    """A file of solved pointing that is damaged, or of another version, image or raw file."""


class LicenceError(InputError):
    """A licence that is unknown, or that the licences of other pictures do not allow."""


class RecipeError(InputError):
    """A recipe that is none, or that a picture cannot follow."""


class OptionError(InputError):
    """An option, or a place for output, that cannot be honoured."""


class MissingExtraError(InputError):
    """A part of perijove whose libraries are not installed."""


class GeometryError(PerijoveError):
    """The image is sound, but its pointing could not be found."""
