"""The services `patients` and `habilitations` of the DMP: HL7v3 and the DMP's own messages."""
