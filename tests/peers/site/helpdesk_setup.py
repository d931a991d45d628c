"""Makes the tests' django-helpdesk ready: its tables, a robot that may do all, a queue, custom fields for our trade."""

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from helpdesk.models import CustomField, Queue  # noqa: E402

call_command("migrate", verbosity=0)
get_user_model().objects.create_superuser("robot", "robot@example.com", "robot-password")
Queue.objects.create(title="Parts", slug="parts")
for name, label in (("serial", "Serial number"), ("part", "Part number")):
    CustomField.objects.create(name=name, label=label, data_type="varchar", max_length=64, required=False)
