package import JSON

/// The counters, and facts about what is served, as text for people, for programs and for Prometheus.
package struct StatisticsText {
    /// By the names of `Statistics.meanings`; those that are missing are 0.
    package let counters: [String: UInt64]
    package let facts: MirrorFacts

    package init(counters: [String: UInt64], facts: MirrorFacts) {
        self.counters = counters
        self.facts = facts
    }

    /// "name=value" lines.
    package var plain: String {
        (counterValues + factValues).map { "\($0.name)=\($0.value)\n" }.joined()
    }

    package var json: JSONValue {
        func object(_ values: [(name: String, meaning: String, value: Int64)]) -> JSONValue {
            .object(Dictionary(values.map { ($0.name, .integer($0.value)) }) { $1 })
        }
        return ["counters": object(counterValues), "mirror": object(factValues)]
    }

    /// The text format of Prometheus, version 0.0.4.
    package var prometheus: String {
        var text = ""
        for (name, meaning, value) in counterValues {
            let full = "esets_mird_\(name)_total"
            text += "# HELP \(full) \(meaning)\n# TYPE \(full) counter\n\(full) \(value)\n"
        }
        for (name, meaning, value) in factValues {
            let full = "esets_mirror_\(name)"
            text += "# HELP \(full) \(meaning)\n# TYPE \(full) gauge\n\(full) \(value)\n"
        }
        return text
    }

    private var counterValues: [(name: String, meaning: String, value: Int64)] {
        Statistics.meanings.map { ($0.name, $0.meaning, Int64(clamping: counters[$0.name] ?? 0)) }
    }

    private var factValues: [(name: String, meaning: String, value: Int64)] {
        var values: [(name: String, meaning: String, value: Int64)] = [
            ("files", "Files in the mirror.", facts.files),
            ("size_bytes", "Bytes of all files in the mirror.", facts.bytes),
            ("changed_seconds", "When a file of the mirror last changed, in seconds since 1970.", facts.changed),
        ]
        if let timestamp = facts.timestamp {
            values += [
                ("timestamp_version", "Version of the repository's timestamp.", timestamp.version),
                (
                    "timestamp_expires_seconds",
                    "When clients will refuse the repository if it is not renewed, in seconds since 1970.",
                    timestamp.expires
                ),
            ]
        }
        return values
    }
}
