/// What one summary or part line tells about an object. Fields that are nil are left out of the line.
package struct ScanRecord: Sendable, Equatable {
    /// Session, written in hexadecimal after the class, so that the lines of one message are found together.
    package var id: UInt32
    /// Whether the object is anything but clean: decides between `summ` and `summall`, `part` and `partall`.
    package var isNotable: Bool
    /// Version of the virus signature database.
    package var database: UInt64
    /// Section name of the agent.
    package var agent: String
    package var name: String
    package var virus: String
    /// What cleaning did.
    package var action: String
    /// Why something was not scanned, and the like.
    package var info: String
    package var avStatus: String?
    package var asStatus: String?
    /// accepted, deferred, discarded or rejected.
    package var hop: String?
    package var from: String?
    package var to: [String]

    package init(
        id: UInt32, isNotable: Bool, database: UInt64 = 0, agent: String, name: String, virus: String = "",
        action: String = "", info: String = "", avStatus: String? = nil, asStatus: String? = nil, hop: String? = nil,
        from: String? = nil, to: [String] = []
    ) {
        self.id = id
        self.isNotable = isNotable
        self.database = database
        self.agent = agent
        self.name = name
        self.virus = virus
        self.action = action
        self.info = info
        self.avStatus = avStatus
        self.asStatus = asStatus
        self.hop = hop
        self.from = from
        self.to = to
    }

    /// Appends `vdb=…, agent=…, name="…", virus="…", action="…", info="…", …`, as log readers split it.
    func write(to bytes: inout [UInt8]) {
        bytes += "vdb=".utf8
        bytes += String(database).utf8
        bytes += ", agent=".utf8
        LogText.append(agent, to: &bytes)
        func add(_ key: StaticString, _ value: String?) {
            guard let value else { return }
            bytes += UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
            LogText.appendInQuotes(value, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        add(", name=\"", name)
        add(", virus=\"", virus)
        add(", action=\"", action)
        add(", info=\"", info)
        add(", avstatus=\"", avStatus)
        add(", asstatus=\"", asStatus)
        add(", hop=\"", hop)
        add(", from=\"", from)
        add(", to=\"", to.count > 1 ? recipients : to.first)
    }

    /// At most ten recipients, and how many more there are.
    private var recipients: String {
        to.prefix(10).joined(separator: ", ") + (to.count > 10 ? ", … \(to.count - 10) more" : "")
    }
}
