/// The agent cannot start, or cannot take over a new configuration.
package struct AgentError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
