/// Every parameter that esets.cfg may have: the one place from which validation, the shipped file, the manual
/// page and the interfaces come.
package enum ParameterTable {
    /// All parameters in the order of the shipped file. A name may occur more than once with different
    /// sections (`listen_port` has another default in each agent).
    package static let all: [Parameter] =
        daemon + logging + scheduler + samples + remote + update + upstreams + swap + agents + actions + targets
        + limits + modification + antispam + users

    /// Other spellings that are understood, and the name of each in the table.
    package static let aliases: [String: String] = [
        "scan_obj_files": "av_scan_obj_files",
        "scan_obj_archives": "av_scan_obj_archives",
        "scan_obj_emails": "av_scan_obj_emails",
        "scan_obj_sfx": "av_scan_obj_sfx",
        "scan_obj_runtimepackers": "av_scan_obj_rtp",
        "scan_obj_rtp": "av_scan_obj_rtp",
        "scan_pattern": "av_scan_pattern",
        "scan_heur": "av_scan_heur",
        "scan_adv_heur": "av_scan_adv_heur",
        "scan_app_adware": "av_scan_app_adware",
        "scan_app_unwanted": "av_scan_app_unwanted",
        "scan_app_unsafe": "av_scan_app_unsafe",
        "av_eml_footnote": "av_eml_footnote_template",
        "blocked_ip_list": "as_blocked_ip_list",
        "ignored_ip_list": "as_ignored_ip_list",
        "approved_ip_list": "as_approved_ip_list",
        "blocked_domain_list": "as_blocked_domain_list",
        "ignored_domain_list": "as_ignored_domain_list",
        "approved_domain_list": "as_approved_domain_list",
        "dnsbl_list": "as_dnsbl_service",
        "rbl_list": "as_rbl_service",
        "rbl_max_ips": "as_rbl_max_ips",
        "enable_spf": "as_spf_enabled",
    ]

    private static let byName: [String: [Parameter]] = Dictionary(grouping: all, by: \.name)

    /// The name in the table for a name or an alias; nil if there is neither.
    package static func canonicalName(_ name: String) -> String? {
        if byName[name] != nil { return name }
        return aliases[name]
    }

    /// The parameter of that name, or with that alias, which may stand in a section; nil if there is none.
    package static func parameter(_ name: String, in section: Sections) -> Parameter? {
        guard let canonical = canonicalName(name) else { return nil }
        return byName[canonical]?.first { $0.sections.contains(section) }
    }

    /// All entries of a name or an alias, whatever their sections.
    package static func parameters(named name: String) -> [Parameter] {
        canonicalName(name).flatMap { byName[$0] } ?? []
    }

    /// The names that may stand in a section, in the order of the table.
    package static func parameters(in section: Sections) -> [Parameter] {
        all.filter { $0.sections.contains(section) }
    }

    /// The known name that a misspelt one most likely meant, first among those of the section, then anywhere;
    /// nil if none is near (at most a third of its letters wrong).
    package static func nearestName(to name: String, in section: Sections) -> String? {
        let here = parameters(in: section).map(\.name)
        let limit = max(1, name.utf8.count / 3)
        return nearest(name, among: here, within: limit)
            ?? nearest(name, among: all.map(\.name) + aliases.keys.sorted(), within: limit)
    }

    /// The candidate with the smallest edit distance; the first one of equals.
    static func nearest(_ name: String, among candidates: [String], within limit: Int) -> String? {
        guard name.utf8.count <= 64 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates where abs(candidate.utf8.count - name.utf8.count) <= limit {
            let distance = editDistance(Array(name.utf8), Array(candidate.utf8))
            if distance <= limit, distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Levenshtein distance, with a swap of neighbours as one edit (optimal string alignment).
    static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        if a.isEmpty { return b.count }
        if b.isEmpty { return a.count }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i] + [Int](repeating: 0, count: b.count)
            for j in 1...b.count {
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
