import Wire

extension JSONTree.Repeated {
    func mistake(in file: String) -> ConfigurationMistake {
        ConfigurationMistake(
            place: file,
            problem: "\(self.path) occurs twice, the second time in line \(self.line)",
            remedy: "remove one"
        )
    }
}
