import BytesE
import CModuleABI
import ModuleKit
import TokensE

/// The questions that DNS lists are asked about one message, and what their answers are worth.
struct Reputation {
    private struct Question {
        let list: DNSList
        let name: [UInt8]
        let prefix: StaticString
    }
    private var questions: [Question] = []

    /// - Parameters:
    ///   - settings: the lists to ask, and how many questions are allowed.
    ///   - relay: the address outside that handed the message over.
    ///   - domains: registered domains of the links.
    init(_ settings: Settings, relay: NetworkAddress?, domains: [[UInt8]]) {
        guard settings.mostQuestions > 0 else { return }
        if let relay {
            for list in settings.addressLists {
                questions.append(Question(list: list, name: list.question(relay.reversedName), prefix: "RBL_"))
            }
        }
        for domain in domains.prefix(settings.mostQuestions) {
            for list in settings.domainLists where domain.count + list.zone.count < 250 {
                questions.append(Question(list: list, name: list.question(domain), prefix: "DNSBL_"))
            }
        }
    }

    /// Whether there is nothing to ask.
    var isEmpty: Bool { questions.isEmpty }

    /// Asks everything at once. False: the answers are not there yet.
    func ask(_ scan: ScanContext) throws(ModuleError) -> Bool {
        guard !questions.isEmpty else { return true }
        var asked: [(kind: UInt32, key: [UInt8])] = []
        for question in questions { asked.append((EM_ASK_DNS_A, question.name)) }
        return try scan.ask(asked)
    }

    /// Reports the listings, once for each list.
    func report(_ scan: ScanContext, object: UInt64) {
        var reported: [[UInt8]] = []
        for question in questions where !reported.contains(question.list.zone) {
            guard let answer = read(scan, question.name), answer.result == EM_ANSWER_FOUND,
                question.list.isListed(answer.text)
            else { continue }
            reported.append(question.list.zone)
            let name = ByteView(question.prefix).array + question.list.zone
            name.withView {
                scan.report(
                    EM_FINDING_SPAM, object: object, name: $0, source: ByteView("dns"),
                    score: question.list.points * 1000)
            }
        }
    }

    private func read(_ scan: ScanContext, _ name: [UInt8]) -> (result: UInt32, text: ByteView)? {
        do throws(ModuleError) {
            return try scan.answer(kind: EM_ASK_DNS_A, key: name)
        } catch {
            // No answer is no listing.
            return nil
        }
    }
}
