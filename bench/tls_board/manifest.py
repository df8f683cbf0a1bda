# The rp2 port's own modules, which mount the file system that the measuring program lies on, and the firmware's pacing.
freeze("$(PORT_DIR)/modules")  # noqa: F821 - a manifest's own words, as below
package(  # noqa: F821
    "star57", ("__init__.py", "link/__init__.py", "link/error.py", "link/tls.py"), base_path="../../firmware"
)
