/// What the server says of the observations that it took: http://hl7.org/fhir/R4/bundle.html
struct ResponseBundle: Encodable {
    let resourceType = "Bundle"
    let type: String
    let entry: [ResponseEntry]
}

/// What became of one of them.
struct ResponseEntry: Encodable {
    struct Response: Encodable {
        let status: String
        var location: String?
        var outcome: OperationOutcome?
    }
    let response: Response
}

/// What this server can: http://hl7.org/fhir/R4/capabilitystatement.html
struct CapabilityStatement: Encodable {
    struct Code: Encodable { let code: String }
    struct Software: Encodable { let name, version: String }
    struct Implementation: Encodable { let description: String }
    struct Resource: Encodable {
        let type = "Observation"
        let profile = "http://hl7.org/fhir/StructureDefinition/heartrate"
        let interaction = [Code(code: "create")]
        let documentation = """
            Heart rates alone: code 8867-4 of http://loinc.org, valueQuantity in /min of http://unitsofmeasure.org, \
            effectiveDateTime with an offset, and the customer's id as subject.identifier.value. None can be changed.
            """
    }
    struct Rest: Encodable {
        let mode = "server"
        let documentation = "A token of the gateway as Bearer authenticates. A repeated observation is stored once."
        let resource = [Resource()]
        let interaction = [Code(code: "transaction"), Code(code: "batch")]
    }

    let resourceType = "CapabilityStatement"
    let status = "active"
    let date = "2026-11-26"
    let kind = "instance"
    let software: Software
    let implementation = Implementation(description: "heartbeat gateway")
    let fhirVersion = "4.0.1"
    let format = ["json"]
    let rest = [Rest()]
}
