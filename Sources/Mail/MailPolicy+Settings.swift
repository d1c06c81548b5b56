package import Configuration

extension MailPolicy {
    /// The policy that these settings are.
    package init(_ settings: Settings) {
        self.init()
        actionAV = settings.action("action_av")
        actionInfected = Self.end(settings, "action_av_infected")
        actionNotScanned = Self.end(settings, "action_av_notscanned")
        actionDeleted = Self.end(settings, "action_av_deleted")
        actionCrashed = Self.end(settings, "action_av_crashed")
        actionAS = settings.optionalAction("action_as")
        cleanMode = settings.cleanMode
        quarantine = settings.flag("av_quarantine_enabled")
        scoreSpam = Double(settings.number("as_score_spam"))
        scoreLikelySpam = Double(settings.number("as_score_likely_spam"))
        scoreHam = Double(settings.number("as_score_ham"))
    }

    /// These parameters cannot be `scan`; the configuration refuses it, and if it did not, keeping is safest.
    private static func end(_ settings: Settings, _ name: String) -> Disposition {
        Disposition(settings.action(name)) ?? .defer
    }
}
