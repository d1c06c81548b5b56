import Glibc
import Platform

/// When updates were made: `@BASEDIR@/data/data.txt`, lines `Name=seconds since 1970`, for monitoring.
package struct UpdateTimes: Sendable {
    private let path: String

    package init(_ folder: String) {
        path = "\(folder)/data.txt"
    }

    /// Notes an attempt. That it cannot be noted is no reason for an update to fail.
    package func attempted(_ now: Int64, updated: Bool = false) {
        var values = read()
        if values["InstallTime"] == nil { values["InstallTime"] = now }
        values["LastUpdateAttempt"] = now
        if updated { values["LastUpdate"] = now }
        let names = ["InstallTime", "LastUpdate", "LastUpdateAttempt"]
        let text = names.compactMap { name in values[name].map { "\(name)=\($0)\n" } }.joined()
        try? Files.replace(path, with: Array(text.utf8))
    }

    private func read() -> [String: Int64] {
        var values: [String: Int64] = [:]
        for line in ((try? Files.text(path, limit: 4096)) ?? "").split(separator: "\n") {
            let parts = line.split(separator: "=")
            if parts.count == 2 { values[String(parts[0])] = Int64(parts[1]) }
        }
        return values
    }

    /// "2026-11-21 17:05 UTC"
    package static func text(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)) UTC"
    }
}
