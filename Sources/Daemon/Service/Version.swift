/// The program's version, as `heartbeat --version`, the metrics and the package have it.
public let heartbeatVersion = "0.1.0"
