extension ScanVerdict {
    func write(to writer: inout WireWriter) {
        writer.write(objectCount)
        writer.write(databaseVersion)
        writer.write(generation)
        writer.write(duration)
        writer.write(spamScore != nil)
        if let spamScore { writer.write(spamScore) }
        let findings = boundedFindings
        writer.write(UInt32(findings.count))
        for finding in findings { finding.write(to: &writer) }
        let objects = objects.prefix(WireLimits.findings)
        writer.write(UInt32(objects.count))
        for object in objects { object.write(to: &writer) }
    }

    /// At most `WireLimits.findings`. When there are more, what decides about the message goes first:
    /// threats, then parts not scanned, then the rest.
    private var boundedFindings: [Finding] {
        guard findings.count > WireLimits.findings else { return findings }
        let ranked =
            findings.filter(\.isThreat) + findings.filter { $0.kind == .notScanned }
            + findings.filter { !$0.isThreat && $0.kind != .notScanned }
        return Array(ranked.prefix(WireLimits.findings))
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init()
        objectCount = try reader.integer("number of objects")
        databaseVersion = try reader.integer("database version")
        generation = try reader.integer("generation")
        duration = try reader.integer("duration")
        if try reader.flag("spam score") { spamScore = try reader.double("spam score") }
        for _ in 0..<(try reader.count("findings", limit: WireLimits.findings, minimumSize: 29)) {
            findings.append(try Finding(from: &reader))
        }
        for _ in 0..<(try reader.count("objects", limit: WireLimits.findings, minimumSize: 41)) {
            objects.append(try ObjectInfo(from: &reader))
        }
    }
}

extension Finding {
    func write(to writer: inout WireWriter) {
        writer.write(kind.rawValue)
        writer.write(name, limit: WireLimits.verdictText)
        writer.write(source, limit: WireLimits.verdictText)
        writer.write(object)
        writer.write(offset)
        writer.write(score.isFinite ? score : 0)
    }

    init(from reader: inout WireReader) throws(WireError) {
        guard let kind = Kind(rawValue: try reader.integer("kind of finding")) else {
            throw WireError(.badValue, "kind of finding")
        }
        self.init(
            kind: kind,
            name: try reader.text("finding", limit: WireLimits.verdictText),
            source: try reader.text("source", limit: WireLimits.verdictText),
            object: try reader.integer("object"),
            offset: try reader.optionalInteger("offset"),
            score: try reader.double("score"))
    }
}

extension ObjectInfo {
    func write(to writer: inout WireWriter) {
        writer.write(id)
        writer.write(parent)
        writer.write(name, limit: WireLimits.verdictText)
        writer.write(format, limit: WireLimits.verdictText)
        writer.write(type)
        writer.write(flags)
        writer.write(size)
        writer.write(rootRange != nil)
        if let rootRange {
            writer.write(rootRange.lowerBound)
            writer.write(rootRange.upperBound)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            id: try reader.integer("object"),
            parent: try reader.integer("parent"),
            name: try reader.text("name", limit: WireLimits.verdictText),
            format: try reader.text("format", limit: WireLimits.verdictText),
            type: try reader.integer("type"),
            flags: try reader.integer("flags"),
            size: try reader.integer("size"))
        if try reader.flag("range") {
            let low: UInt64 = try reader.integer("range")
            let high: UInt64 = try reader.integer("range")
            guard low <= high else { throw WireError(.badValue, "range") }
            rootRange = low..<high
        }
    }
}
