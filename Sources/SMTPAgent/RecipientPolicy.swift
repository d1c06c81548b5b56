package import Configuration
package import Mail
package import ScanProtocol

/// What the configuration means for one kind of recipient: made once per configuration and policy.
package final class RecipientPolicy: Sendable {
    /// Recipients with different numbers must not share a message.
    package let number: Int
    package let mail: MailPolicy
    package let options: ScanOptions
    package let modification: Modification

    package init(number: Int, mail: MailPolicy, options: ScanOptions, modification: Modification) {
        self.number = number
        self.mail = mail
        self.options = options
        self.modification = modification
    }

    package convenience init(_ settings: Settings) {
        self.init(
            number: settings.policy, mail: MailPolicy(settings), options: ScanOptions(settings: settings),
            modification: Modification(settings))
    }
}
