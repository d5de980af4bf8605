import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Another system's producer, as its authors would write it: kafka-clients, no key, no headers, no knowledge of Isthmus.
 * Arguments: bootstrap servers, topic, and a transactional id where there are transactions.
 * Standard input, a line each: `send VALUE`, `begin`, `commit`, `abort`.
 */
public class Producer {
    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", args[0]);
        if (args.length > 2) properties.put("transactional.id", args[2]);
        StringSerializer text = new StringSerializer();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, text, text);
                BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"))) {
            if (args.length > 2) producer.initTransactions();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("send ")) producer.send(new ProducerRecord<>(args[1], line.substring(5))).get();
                else if (line.equals("begin")) producer.beginTransaction();
                else if (line.equals("commit")) producer.commitTransaction();
                else if (line.equals("abort")) producer.abortTransaction();
                else throw new IllegalArgumentException(line);
            }
        }
    }
}
