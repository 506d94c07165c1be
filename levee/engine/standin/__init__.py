"""Stand-in providers: the packages of a program, served over gRPC against a simulated cloud."""
