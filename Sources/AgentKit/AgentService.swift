package import Configuration
package import Platform

/// What an agent does; `AgentProcess` leads it through start, reload and end.
package protocol AgentService: Sendable {
    /// Section of esets.cfg, and name towards the manager.
    static var section: String { get }

    /// - Parameter inherited: listening sockets that the manager opened; nil when the agent opens its own.
    init(_ configuration: Configuration, inherited: [Descriptor]?, log: AgentLog) throws(AgentError)

    /// What is served now, for the log.
    var description: String { get }
    /// What is not finished yet, for the log: "3 sessions are under way".
    var remaining: String { get }
    /// Numbers since the start of the process.
    var counters: [String: UInt64] { get }

    /// Serves until `stop`, which another thread calls.
    func run() throws(AgentError)
    /// Takes another configuration, or changes nothing.
    func reload(_ configuration: Configuration) throws(AgentError)
    /// Takes nothing new and lets `run` return when the rest is finished, or its time is over.
    func stop()
}
