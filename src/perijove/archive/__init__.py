"""Reading what JunoCam sends."""
