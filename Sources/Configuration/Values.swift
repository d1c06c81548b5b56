import Glibc

/// What the texts of values mean, and whether they are right.
enum Values {
    /// Online CPUs.
    static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// A whole number; for bytes also with k, M, G or T, optionally followed by B, as powers of 1024. nil when it
    /// is none or does not fit.
    static func integer(_ text: String, _ unit: Parameter.Unit) -> Int? {
        let bytes = Array(text.utf8)
        let digits = bytes.prefix { $0 &- 0x30 < 10 }
        guard !digits.isEmpty, let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        var suffix = Array(bytes[digits.count...].drop { $0 == 0x20 }).map { $0 | 0x20 }
        if suffix.isEmpty { return number }
        guard unit == .bytes else { return nil }
        if suffix.count > 1, suffix.last == UInt8(ascii: "b") { suffix.removeLast() }
        let shift: Int
        switch String(decoding: suffix, as: UTF8.self) {
        case "b": shift = 0
        case "k": shift = 10
        case "m": shift = 20
        case "g": shift = 30
        case "t": shift = 40
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : product
    }

    /// What stands between the parts of a list; nil when it is no list.
    static func separator(of kind: Parameter.Kind) -> String? {
        switch kind {
        case .list(let separator): separator
        case .words, .notifiedUsers: ":"
        case .addresses, .blockLists: ","
        default: nil
        }
    }

    /// The parts of a list without blanks around them; empty ones are left out.
    static func split(_ text: String, _ separator: String) -> [String] {
        let input = Array(text.utf8)
        let mark = Array(separator.utf8)
        var parts: [String] = []
        var start = 0
        var index = 0
        func take(_ end: Int) {
            let part = String(decoding: input[start..<end], as: UTF8.self).trimmedASCII
            if !part.isEmpty { parts.append(part) }
        }
        while index + mark.count <= input.count {
            if input[index...].starts(with: mark) {
                take(index)
                index += mark.count
                start = index
            } else {
                index += 1
            }
        }
        take(input.count)
        return parts
    }

    /// Why a text is no value of that kind; nil when it is one.
    static func problem(_ text: String, _ kind: Parameter.Kind) -> String? {
        switch kind {
        case .flag:
            return text == "yes" || text == "no" ? nil : "must be yes or no"
        case .integer(let range, let unit):
            return number(text, range, unit)
        case .threads:
            return number(text, 0...1024, .count)
        case .port:
            return number(text, 1...65535, .count)
        case .text, .secret, .template, .list:
            return nil
        case .path, .program:
            return text.isEmpty || isAbsolute(text) ? nil : "must be an absolute path"
        case .configurationFile:
            return text.split(separator: "/").contains("..") ? "must not contain \"..\"" : nil
        case .host:
            return text.isEmpty || isHost(text) ? nil : "must be a host name or an address"
        case .endpoint:
            return text.isEmpty || isEndpoint(text) ? nil : "must be host:port"
        case .words(let known):
            return word(in: split(text, ":"), among: known)
        case .choice(let known):
            return known.contains(text) ? nil : "must be \(enumeration(known))"
        case .action(let known, let optional):
            if text.isEmpty && optional || known.contains(where: { $0.rawValue == text }) { return nil }
            return "must be \(enumeration(known.map(\.rawValue)))"
        case .cleanMode:
            return CleanMode(rawValue: text) != nil ? nil : "must be \(enumeration(CleanMode.allCases.map(\.rawValue)))"
        case .mask(let family):
            let known = StatusMask.names.filter { family.contains($0.status) }.map(\.name)
            return StatusMask(text, family: family) != nil
                ? nil : "must be yes, no, or a list of \(enumeration(known)) with \":\" between"
        case .addresses:
            return split(text, ",").first { AddressRange($0) == nil }
                .map { "\"\($0)\" is not an address, a network (10.0.0.0/8) or a range (10.0.0.1-10.0.0.9)" }
        case .blockLists:
            return split(text, ",").first { !isBlockList($0) }
                .map { "\"\($0)\" is not zone:answer, as in zen.spamhaus.org:127.0.0.2" }
        case .notifiedUsers:
            return notifiedUsers(split(text, ":"))
        case .schedule:
            if case .failure(let problem) = ScheduledTask.parse(text) { return problem.message }
            return nil
        case .logTarget:
            return text == "syslog" || text == "stderr"
                || text.begins(with: "file:") && isAbsolute(String(text.dropFirst(5)))
                ? nil : "must be syslog, stderr or file:/absolute/path"
        case .group:
            return text.isEmpty || !text.contains("@") && !text.contains("|")
                ? nil : "must be the name of a group section, which has no \"@\" and no \"|\""
        }
    }

    private static func number(_ text: String, _ range: ClosedRange<Int>, _ unit: Parameter.Unit) -> String? {
        guard let number = integer(text, unit) else {
            return unit == .bytes ? "must be a number of bytes, as in 1000000 or 10M" : "must be a whole number"
        }
        guard !range.contains(number) else { return nil }
        let name = unit == .count ? "" : " \(unit.rawValue)"
        return "must lie between \(range.lowerBound) and \(range.upperBound)\(name)"
    }

    private static func word(in words: [String], among known: [String]) -> String? {
        guard let wrong = words.first(where: { !known.contains($0) }) else { return nil }
        let hint = ParameterTable.nearest(wrong, among: known, within: 2).map { "; did you mean \($0)?" } ?? ""
        return "\"\(wrong)\" is not \(enumeration(known))\(hint)"
    }

    private static func notifiedUsers(_ parts: [String]) -> String? {
        guard parts.count.isMultiple(of: 2) else {
            return "must be pairs \"domain:address\"; the last one is not whole"
        }
        for index in stride(from: 0, to: parts.count, by: 2) {
            if parts[index].contains("@") { return "\"\(parts[index])\" is not a domain" }
            if !parts[index + 1].contains("@") { return "\"\(parts[index + 1])\" is not a mail address" }
        }
        return nil
    }

    /// "a, b or c"
    static func enumeration(_ words: [String]) -> String {
        guard words.count > 1, let last = words.last else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    /// A name of letters, digits, "-", "_" and dots, or an address, also in brackets.
    static func isHost(_ text: String) -> Bool {
        var bytes = Array(text.utf8)
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]"), bytes.count > 2 {
            bytes = Array(bytes[1..<(bytes.count - 1)])
        }
        let plain = String(decoding: bytes, as: UTF8.self)
        if IPAddress(plain) != nil { return true }
        guard bytes.count <= 255, !bytes.isEmpty else { return false }
        return bytes.allSatisfy {
            $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
        }
    }

    /// Whether it begins with "/" or with a token that stands for a directory.
    private static func isAbsolute(_ text: String) -> Bool {
        text.begins(with: "/") || Paths().tokens.contains { text.begins(with: $0.name) }
    }

    private static func isEndpoint(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":") else { return false }
        let port = Int(text[text.index(after: colon)...]) ?? 0
        let host = String(text[..<colon])
        return (1...65535).contains(port)
            && (host.isEmpty || isHost(host) && !(host.contains(":") && host.first != "["))
    }

    private static func isBlockList(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, isHost(String(parts[0])) else { return false }
        if parts.count == 3, Int(parts[2]) == nil { return false }
        return IPAddress(String(parts[1])) != nil
    }
}
