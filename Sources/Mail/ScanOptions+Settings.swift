package import Configuration
package import ScanProtocol

extension ScanOptions {
    /// What the engine has to know of these settings, whatever becomes of the object: targets and limits by their
    /// esets.cfg name, and no look for spam.
    package init(engine settings: Settings) {
        self.init()
        let known = Set(settings.names)
        for parameter in ParameterTable.all where known.contains(parameter.name) {
            if parameter.group == .targets || parameter.group == .limits { add(parameter, settings) }
        }
        numbers["antispam"] = 0
    }

    /// What the scanner has to know of these settings: targets, limits and antispam parameters by their
    /// esets.cfg name, and `antispam` (1 when the message is to be checked for spam).
    package init(settings: Settings) {
        self.init()
        let known = Set(settings.names)
        for parameter in ParameterTable.all where known.contains(parameter.name) {
            switch parameter.group {
            case .targets, .limits, .antispam: add(parameter, settings)
            default: break
            }
        }
        let policy = MailPolicy(settings)
        numbers["antispam"] = policy.scansForSpam ? 1 : 0
        if !policy.scansForViruses {
            // Only the antispam engine has something to do.
            for name in ["av_scan_pattern", "av_scan_heur", "av_scan_adv_heur"] { numbers[name] = 0 }
        }
    }

    private mutating func add(_ parameter: Parameter, _ settings: Settings) {
        let name = parameter.name
        switch parameter.kind {
        case .flag:
            numbers[name] = settings.flag(name) ? 1 : 0
        case .integer:
            numbers[name] = Int64(settings.number(name))
        default:
            let text = settings.text(name)
            if !text.isEmpty { texts[name] = text }
        }
    }
}
