/// Whom a section of a user file is for: the text between its brackets.
///
///     [rcpt@example.com]             a recipient
///     [|sender@example.com]          a sender; [|<>] is the empty one
///     [@example.com] [|@example.com] every address of a domain
///     [192.0.2.1] [192.0.2.0/24]     a client
///     [rcpt|sender|client]           all of them, empty = any
///     [name]                         a group, for parent_id
///
/// For pop3 and imap the three fields are login, client and server.
package struct UserPattern: Sendable, Equatable {
    /// What is compared with the first and second field.
    enum Field: Sendable, Equatable {
        case any
        /// A whole address or login, normalized.
        case address(String)
        /// Every address of a domain, in lower case, without "@".
        case domain(String)
        case network(AddressRange)
    }

    /// Which facts a connection offers.
    enum Family: Sendable { case mail, login }

    /// recipient|sender|client, or login|client|server.
    let fields: [Field]

    enum Header: Sendable, Equatable {
        case group(String)
        case pattern(UserPattern)
    }

    struct Problem: Error, Equatable { let message: String }

    /// Understands a header for a family of agents.
    static func parse(_ header: String, family: Family) -> Result<Header, Problem> {
        let parts = header.split(separator: "|", omittingEmptySubsequences: false).map { String($0).trimmedASCII }
        if parts.count == 1 {
            let text = parts[0]
            if let range = AddressRange(text) {
                return .success(
                    .pattern(
                        UserPattern(
                            fields: family == .mail ? [.any, .any, .network(range)] : [.any, .network(range), .any])))
            }
            guard text.contains("@") else { return .success(.group(text)) }
            return address(text, family).map { .pattern(UserPattern(fields: [$0, .any, .any])) }
        }
        guard parts.count <= 3 else {
            return .failure(Problem(message: "a section has at most three fields between \"|\""))
        }
        var fields: [Field] = []
        for (index, text) in parts.enumerated() {
            let isNetwork = family == .mail ? index == 2 : index > 0
            if text.isEmpty {
                fields.append(.any)
            } else if isNetwork {
                guard let range = AddressRange(text) else {
                    return .failure(Problem(message: "\"\(text)\" is not an address or a network"))
                }
                fields.append(.network(range))
            } else {
                switch address(text, family) {
                case .success(let field): fields.append(field)
                case .failure(let problem): return .failure(problem)
                }
            }
        }
        while fields.count < 3 { fields.append(.any) }
        return .success(.pattern(UserPattern(fields: fields)))
    }

    private static func address(_ text: String, _ family: Family) -> Result<Field, Problem> {
        if text == "<>" && family == .mail { return .success(.address("")) }
        if text.begins(with: "@") {
            let domain = String(text.dropFirst()).lowercasedASCII
            return domain.isEmpty || domain.contains("@")
                ? .failure(Problem(message: "\"\(text)\" is not a domain, as in @example.com"))
                : .success(.domain(domain))
        }
        if family == .mail, !text.contains("@"), text.contains(".") {
            return .failure(Problem(message: "\"\(text)\" has no \"@\"; a whole domain is written @\(text)"))
        }
        return .success(.address(MailAddress.normalized(text)))
    }

    /// Whether the facts of a message or a login match; a fact that is not known matches only an empty field.
    func matches(first: MailAddress?, second: MailAddress?, addresses: (IPAddress?, IPAddress?, IPAddress?)) -> Bool {
        UserPattern.matches(fields[0], first, addresses.0) && UserPattern.matches(fields[1], second, addresses.1)
            && UserPattern.matches(fields[2], nil, addresses.2)
    }

    private static func matches(_ field: Field, _ address: MailAddress?, _ ip: IPAddress?) -> Bool {
        switch field {
        case .any: true
        case .address(let wanted): address?.text == wanted
        case .domain(let wanted): address?.domain == wanted
        case .network(let range): ip.map(range.contains) ?? false
        }
    }
}

/// A mail address in the form in which user sections compare it.
///
/// Case is passed over in the domain (RFC 1035 §2.3.3) and in the local part too: RFC 5321 §2.4 lets a host
/// tell the cases apart, but no mail server in use does, and a policy that `Boss@example.com` escapes while
/// `boss@example.com` obeys it would be no policy. Quotes that mean nothing (RFC 5321 §4.1.2), and a dot at the end of
/// the domain, which mail servers drop, are removed for the same reason.
struct MailAddress: Equatable {
    /// Normalized; "" for the null sender.
    let text: String
    /// What follows the last "@", or nil.
    let domain: String?

    init(_ address: String) {
        let normalized = MailAddress.normalized(address)
        text = normalized
        domain = normalized.lastIndex(of: "@").map { String(normalized[normalized.index(after: $0)...]) }
    }

    static func normalized(_ address: String) -> String {
        var bytes = Array(address.trimmedASCII.lowercasedASCII.utf8)
        if bytes.first == UInt8(ascii: "<"), bytes.last == UInt8(ascii: ">") {
            bytes = Array(bytes.dropFirst().dropLast())
        }
        let dot = UInt8(ascii: ".")
        if bytes.count > 2, bytes.last == dot, ![dot, UInt8(ascii: "@")].contains(bytes[bytes.count - 2]),
            bytes.contains(UInt8(ascii: "@"))
        {
            bytes.removeLast()
        }
        guard bytes.first == UInt8(ascii: "\"") else { return String(decoding: bytes, as: UTF8.self) }
        var local: [UInt8] = []
        var index = 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count { index += 1 }
            local.append(bytes[index])
            index += 1
        }
        return String(decoding: local + bytes.dropFirst(index + 1), as: UTF8.self)
    }
}
