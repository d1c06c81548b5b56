package import Configuration

/// What is written into messages, and for which results: the `av_eml_…` and `as_eml_…` parameters.
package struct Modification: Sendable, Equatable {
    package var antivirusHeader: StatusMask = []
    package var antivirusSubject: StatusMask = []
    package var antivirusFootnote: StatusMask = []
    package var antispamHeader: StatusMask = []
    package var antispamSubject: StatusMask = []
    package var headerTemplate = Template("")
    package var antivirusSubjectTemplate = Template("")
    package var antispamSubjectTemplate = Template("")
    package var footnoteTemplate = Template("")

    /// Whether any template has the subject in it.
    var namesSubject: Bool {
        headerTemplate.namesSubject || antivirusSubjectTemplate.namesSubject || antispamSubjectTemplate.namesSubject
            || footnoteTemplate.namesSubject
    }

    package init() {}

    package init(_ settings: Settings) {
        antivirusHeader = settings.mask("av_eml_header_modification")
        antivirusSubject = settings.mask("av_eml_subject_modification")
        antivirusFootnote = settings.mask("av_eml_footnote_modification")
        antispamHeader = settings.mask("as_eml_header_modification")
        antispamSubject = settings.mask("as_eml_subject_modification")
        headerTemplate = Template(settings.text("av_eml_header_template"))
        antivirusSubjectTemplate = Template(settings.text("av_eml_subject_template"))
        antispamSubjectTemplate = Template(settings.text("as_eml_subject_template"))
        footnoteTemplate = Template(settings.text("av_eml_footnote_template"))
    }
}

extension AntivirusStatus {
    var mask: StatusMask {
        switch self {
        case .clean: .clean
        case .cleaned: .cleaned
        case .deleted: .deleted
        case .infected: .infected
        case .notScanned: .notScanned
        }
    }
}

extension AntispamStatus {
    var mask: StatusMask {
        switch self {
        case .ham: .ham
        case .likelyHam: .likelyHam
        case .likelySpam: .likelySpam
        case .spam: .spam
        }
    }
}
