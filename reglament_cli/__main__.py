from reglament_cli.main import main

main()
