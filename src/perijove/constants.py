"""Numbers of the camera, the spacecraft and Jupiter, each with its source.

Sources: IK = NAIF instrument kernel ``juno_junocam_v03.ti``; FK = NAIF frames kernel ``juno_v12.tf``;
PCK = NAIF ``pck00010.tpc``; SIS = JunoCam EDR/RDR Software Interface Specification; CAL = JunoCam calibration
report MSSS-JUNOCAM-DOC-0102 (2010); SSR = Hansen et al., Space Sci. Rev. 213:475.
"""

from typing import Final

#: Bands in the order of their strips on the detector, by increasing row (IK).
BANDS: Final = ("METHANE", "BLUE", "GREEN", "RED")

#: Rows of one full-resolution framelet (SIS).
FRAMELET_LINES: Final = 128
#: Columns of one full-resolution framelet, dark columns included (SIS).
FRAMELET_SAMPLES: Final = 1648
#: Half-open range of the photoactive columns (IK note 1).
ACTIVE_SAMPLES: Final = (23, 1631)

#: Effective focal length in pixels of 7.4 micrometres (IK).
FOCAL_LENGTH_PX: Final = 1480.590541
PIXEL_PITCH_MM: Final = 0.0074
#: Column of the distortion centre, all bands (IK).
DISTORTION_X_PX: Final = 814.21
#: Row of the distortion centre counted from each band's first framelet row (IK).
DISTORTION_Y_PX: Final = {"METHANE": 315.48, "BLUE": 158.48, "GREEN": 3.48, "RED": -151.52}
#: The same for the whole camera, which the kernel treats as a fifth band (IK).
DISTORTION_Y_WHOLE_PX: Final = 78.48
#: Radial distortion coefficients, pixels**-2 and pixels**-4 (IK).
DISTORTION_K1: Final = -5.9624209455667325e-08
DISTORTION_K2: Final = 2.7381910042256151e-14

#: Time of one TDI step, seconds (SIS; IK).
TDI_STEP_S: Final = 0.0032
#: What START_TIME lacks to the opening of the first frame, seconds (IK, START_TIME_BIAS).
START_TIME_BIAS_S: Final = 0.06188
#: What INTERFRAME_DELAY lacks to the real spacing of frames, seconds (IK, INTERFRAME_DELTA).
INTERFRAME_DELTA_S: Final = 0.001

#: Equatorial and polar radius of Jupiter at 1 bar, km (PCK).
JUPITER_RADII_KM: Final = (71492.0, 71492.0, 66854.0)
#: Gravitational parameter of Jupiter without its moons, km**3 s**-2 (Iess et al. 2018, Nature 555:220).
JUPITER_GM_KM3_S2: Final = 126686533.0
#: Zonal harmonics of degrees 2, 4 and 6 for the equatorial radius of 71492 km (Iess et al. 2018).
JUPITER_ZONALS: Final = {2: 14696.57e-6, 4: -586.61e-6, 6: 34.20e-6}

#: One astronomical unit, km (IAU 2012).
AU_KM: Final = 149597870.7
#: Speed of light, km/s.
LIGHT_SPEED_KM_S: Final = 299792.458
