import Wire

extension JSONTree.Repeated {
    func mistake(in file: String) -> ConfigurationMistake {
        ConfigurationMistake(
            place: file,
            problem: "\(self.path) stands twice, the second time in line \(self.line)",
            remedy: "remove one"
        )
    }
}
