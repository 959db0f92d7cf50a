# The commands of the README. Each works in a fresh clone on Debian 12 with Rust.
.PHONY: help test test-external demo bench deb

help:
	@echo "make demo [FHIR=dir]   build Ondol and start a small country on this machine"
	@echo "make test              everything that must hold before a change lands"
	@echo "make test-external     our tables against other people's software (Python)"
	@echo "make bench             the figures, measured here"
	@echo "make deb               a Debian package of the node (needs cargo-deb)"

test:
	@bash scripts/setup-test.sh
	@bash scripts/test.sh

test-external:
	@bash scripts/test-external.sh

demo:
	@bash scripts/demo.sh $(if $(FHIR),--fhir "$(FHIR)") $(ARGS)

bench:
	@bash scripts/bench.sh $(ARGS)

deb:
	@cargo deb --version >/dev/null 2>&1 || \
	  { echo "cargo-deb is missing: cargo install cargo-deb --locked" >&2; exit 1; }
	@cargo deb --locked --package ondol-node
