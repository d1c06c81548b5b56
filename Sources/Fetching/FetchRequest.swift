/// How the network is reached: the same for everything that one update fetches.
package struct NetworkSettings: Sendable, Equatable {
    /// "host:port" of an HTTP proxy; nil: a direct connection, whatever the environment says.
    package var proxy: String?
    package var proxyUser = ""
    package var proxyPassword = ""
    /// Seconds for connecting, and how long nothing may come.
    package var timeout = 60
    /// Bytes a second at most; 0: as many as come.
    package var rate = 0
    /// A file of certificates of authorities (PEM) in place of the system's; nil: the system's.
    package var authorities: String?
    /// The User-Agent field.
    package var agent = "esets"
    /// Whether `file:` addresses are read: for an update from a folder.
    package var allowsFiles = false

    package init() {}
}

/// User name and password at a server.
package struct Credentials: Sendable, Equatable {
    package let user: String
    package let password: String

    package init(user: String, password: String) {
        self.user = user
        self.password = password
    }
}

/// What tells one version of a file from another.
package struct Validators: Sendable, Equatable {
    /// With its quotes; nil when the server gave none.
    package var tag: String?
    /// The Last-Modified field, word for word.
    package var modified: String?

    package init(tag: String? = nil, modified: String? = nil) {
        self.tag = tag
        self.modified = modified
    }

    package var isEmpty: Bool { tag == nil && modified == nil }

    /// What If-Range takes: it must mean the same bytes (RFC 9110, 13.1.5).
    var strong: String? {
        if let tag { return tag.hasPrefix("W/") ? nil : tag }
        return modified
    }
}

/// One thing to fetch.
package struct FetchRequest: Sendable {
    /// http, https, or file where that is allowed.
    package var address: String
    package var credentials: Credentials?
    /// Bytes of content at most; more ends the transfer.
    package var limit: Int
    /// Ask only for what changed since.
    package var unless: Validators?
    /// Where to go on, and the version that is there already; nil validators: any version is the same.
    package var resume: (offset: Int, of: Validators?)?
    /// The first bytes only.
    package var first: Int?
    /// Seconds for the whole of it; 0: no limit but the speed.
    package var totalTime = 0

    package init(_ address: String, limit: Int, credentials: Credentials? = nil) {
        self.address = address
        self.limit = limit
        self.credentials = credentials
    }
}

/// An answer whose content was taken, or that had none.
package struct FetchResponse: Sendable, Equatable {
    /// 200, 206 or 304.
    package var status = 0
    package var validators = Validators()
    /// Bytes of content that are announced; nil when they are not.
    package var length: Int?
    /// Where a part of the content begins (206), and how long the whole is.
    package var rangeStart: Int?
    package var rangeTotal: Int?
    /// Seconds to wait, from a Retry-After field.
    var retryAfter: Int?

    package var isNotModified: Bool { status == 304 }
}
