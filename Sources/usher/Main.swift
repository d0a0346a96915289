import Server
print(ConfigurationReport.check(LoadedConfiguration(environment: [:], file: "/tmp/x.json")))
