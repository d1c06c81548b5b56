package import JSON

/// What the fetching process says at its end. It has parsed what strangers sent: everything in it is checked again.
package struct FetchReport: Sendable, Equatable {
    package enum Failure: String, Sendable {
        /// Nothing could be fetched, or what was fetched is not believed.
        case download
        /// A server or the proxy wants other credentials.
        case credentials
    }

    /// A change of the trusted metadata of a repository, to be carried out in order.
    package enum TrustedChange: Sendable, Equatable {
        /// Its name without a version, and its content.
        case write(name: String, text: String)
        case remove(String)
    }

    package struct Upstream: Sendable, Equatable {
        package var name: String
        package var failure: Failure?
        /// Why it failed.
        package var reason = ""
        package var version = ""
        /// Everything that it brings now, new or not; nothing after a failure.
        package var files: [SourceFile] = []
        /// Paths of those among them that lie in the staging directory, under the same path; in the order in which they
        /// go to the mirror.
        package var staged: [String] = []
        package var trusted: [TrustedChange] = []
        /// What is worth telling.
        package var notes: [String] = []
        package var bytes = 0
        package var requests = 0

        package init(name: String) {
            self.name = name
        }
    }

    package var upstreams: [Upstream] = []
    package var rests: [String: Int64] = [:]

    package init() {}
}

extension FetchReport {
    package init?(_ json: JSONValue) {
        guard let list = json["upstreams"]?.array else { return nil }
        for value in list {
            guard let upstream = Upstream(value) else { return nil }
            upstreams.append(upstream)
        }
        for (host, until) in json["rests"]?.object ?? [:] { rests[host] = until.integer }
    }

    package var json: JSONValue {
        .object(["upstreams": .array(upstreams.map(\.json)), "rests": .object(rests.mapValues { .integer($0) })])
    }
}

extension FetchReport.Upstream {
    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, SafePath.isName(name), let files = json["files"]?.array,
            let staged = json["staged"]?.array, let trusted = json["trusted"]?.array
        else { return nil }
        self.init(name: name)
        failure = json["failure"]?.string.flatMap(FetchReport.Failure.init)
        reason = json["reason"]?.string ?? ""
        version = json["version"]?.string ?? ""
        notes = json["notes"]?.array?.compactMap(\.string) ?? []
        bytes = Int(json["bytes"]?.integer ?? 0)
        requests = Int(json["requests"]?.integer ?? 0)
        for value in files {
            guard let file = SourceFile(value) else { return nil }
            self.files.append(file)
        }
        for value in staged {
            guard let path = value.string, SafePath.isSafe(path) else { return nil }
            self.staged.append(path)
        }
        for value in trusted {
            if let name = value["remove"]?.string, SafePath.isName(name) {
                self.trusted.append(.remove(name))
            } else if let name = value["write"]?.string, SafePath.isName(name), let text = value["text"]?.string {
                self.trusted.append(.write(name: name, text: text))
            } else {
                return nil
            }
        }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "files": .array(files.map(\.json)), "staged": .array(staged.map { .string($0) }),
            "trusted": .array(
                trusted.map { change in
                    switch change {
                    case .remove(let name): ["remove": .string(name)]
                    case .write(let name, let text): ["write": .string(name), "text": .string(text)]
                    }
                }),
            "notes": .array(notes.map { .string($0) }), "bytes": .integer(Int64(bytes)),
            "requests": .integer(Int64(requests)), "version": .string(version), "reason": .string(reason),
        ]
        if let failure { members["failure"] = .string(failure.rawValue) }
        return .object(members)
    }
}

/// A line of what the fetching process says while it works.
package enum FetchEvent: Sendable, Equatable {
    case progress(upstream: String, file: String, done: Int, total: Int?)
    case report(FetchReport)

    package init?(line: [UInt8]) {
        guard let json = try? JSONValue(parsing: line, limits: .init(size: 256 << 20)) else { return nil }
        if let report = json["report"] {
            guard let report = FetchReport(report) else { return nil }
            self = .report(report)
        } else if let upstream = json["upstream"]?.string, let file = json["file"]?.string,
            let done = json["done"]?.integer
        {
            self = .progress(
                upstream: upstream, file: file, done: Int(done), total: json["total"]?.integer.map { Int($0) })
        } else {
            return nil
        }
    }

    package var line: [UInt8] {
        let json: JSONValue
        switch self {
        case .report(let report): json = .object(["report": report.json])
        case .progress(let upstream, let file, let done, let total):
            var members: [String: JSONValue] = [
                "upstream": .string(upstream), "file": .string(file), "done": .integer(Int64(done)),
            ]
            if let total { members["total"] = .integer(Int64(total)) }
            json = .object(members)
        }
        return Array((json.text() + "\n").utf8)
    }
}
